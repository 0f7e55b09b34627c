import type { CommandContext } from '../context.ts';
import type { ClusterFlags } from '../live/cluster-flags.ts';
import type { PatchFlags } from '../manifests/patch-option.ts';

/** The flags of `rerun`. */
export interface RerunFlags extends PatchFlags, ClusterFlags {
  readonly name?: string;
  readonly live?: boolean;
  readonly file?: string;
  readonly create?: boolean;
  readonly deleteOld?: boolean;
  readonly yes?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

/** What `rerun` needs of the process. */
export type RerunContext = Pick<CommandContext, 'stdin' | 'stdout' | 'stderr' | 'isInteractive' | 'exitWith'>;
