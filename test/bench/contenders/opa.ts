import { join } from 'node:path';

import { freePort } from '../../../tools/free-port.ts';
import { goTool } from '../../../tools/go/tool.ts';
import { startProgram, type Contender } from '../contender.ts';

const VERSION = 'v1.22.2';

/** Open Policy Agent with a rule that compares paths, and so can say which changed. */
export const opa: Contender = opaWith('opa', 'rule.rego', 'Rego, path by path');

/** Open Policy Agent with the cheapest rule that gives the verdict. */
export const opaWithoutPaths: Contender = opaWith('opa-json-remove', 'rule-without-paths.rego', 'Rego, json.remove');

function opaWith(name: string, rule: string, description: string): Contender {
  return {
    name,
    prepare: async () => {
      const command = await goTool({
        name: 'opa',
        package: 'github.com/open-policy-agent/opa',
        version: VERSION,
        override: 'OPA',
      });
      return {
        version: `OPA ${VERSION}, ${description}`,
        start: async (site) => {
          const port = await freePort();
          const args = [
            ...['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', '--disable-telemetry'],
            ...['--tls-cert-file', site.certFile, '--tls-private-key-file', site.keyFile],
            join(import.meta.dirname, '../servers', rule),
          ];
          return startProgram(site, { name, command, args, port, path: '/' });
        },
      };
    },
  };
}
