import type { Named } from '../manifests/named.ts';
import type { Inputs } from './items.ts';
import type { Judgement } from './verdict-text.ts';

/** A judgement, and the object whose file and lines its changes are in; undefined of a review. */
export interface Judged extends Judgement {
  readonly source: Named | undefined;
}

/** What came of everything that a command line is about. */
export interface Report extends Omit<Inputs, 'items'> {
  readonly judged: readonly Judged[];
}
