import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { permittedPatch } from '../../src/commands/check/permitted-patch.ts';
import { parseReview } from '../../src/core/admission.ts';
import { decide } from '../../src/core/decide.ts';
import { isMap } from '../../src/core/json.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { applyJsonPatch } from '../../src/kube/json-patch.ts';
import { grow, reviewText, scenarios } from '../support/random-reviews.ts';
import { NOW } from '../support/review.ts';
import { JOBS } from './judge-pairs.ts';
import { POLICIES } from './policies.ts';

const SEED = Number(process.env['JOBGUARD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const PAIRS = 2_000;
const BANNED = /\/(?:__proto__|constructor\/prototype)[/"]/;

test.each(['default', 'presets', 'own'] as const)(
  `policy %s: what is permitted of an update applies and passes, JOBGUARD_SEED=${SEED}`,
  (name) => {
    const policy = compilePolicy(completePolicy(POLICIES[name].document));
    let sent = 0;
    const passes = fc.property(scenarios(JOBS[name]), (scenario) => {
      const request = parseReview(reviewText(scenario, grow(scenario)));
      const { decision } = decide(policy, request, NOW);
      const patch = permittedPatch(request, { decision, mode: 'enforce', resource: undefined });
      if (patch.length === 0 || !isMap(request.oldObject)) return;
      // These keys are the one thing that the library which applies patches here refuses.
      if (patch.some((operation) => isMap(operation) && BANNED.test(JSON.stringify(operation['path'])))) return;
      const object = applyJsonPatch(request.oldObject, patch);
      expect(['allow', 'exempt']).toContain(decide(policy, { ...request, object }, NOW).decision.outcome);
      sent += 1;
    });
    fc.assert(passes, { seed: SEED, numRuns: PAIRS });
    expect(sent).toBeGreaterThan(PAIRS / 10);
  },
);
