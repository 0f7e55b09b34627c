import type { AdmissionRequest } from '../../core/admission.ts';
import type { Named } from '../manifests/named.ts';
import type { Answer } from './answered.ts';
import type { Pairs } from './pairs.ts';

/** A request to be judged. */
export interface Item {
  readonly request: AdmissionRequest;
  /** The object whose file and lines its changes are in; undefined of a review, and of a live object with a patch. */
  readonly source: Named | undefined;
  /** What the cluster has said already. */
  readonly answer?: Answer;
}

/** What there is to be judged, and what is not. */
export interface Inputs extends Pick<Pairs, 'created' | 'deleted' | 'notGuarded'> {
  /** Whether the command line is about one update, whatever comes of it. */
  readonly isSingle: boolean;
  readonly items: readonly Item[];
}
