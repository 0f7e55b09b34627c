import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second, whatever the kernel's own clock: sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** Returns the CPU time, in seconds, that a process and its children have had so far. */
export function cpuSeconds(pid: number): number {
  return family(pid).reduce((sum, member) => {
    const fields = statFields(member);
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
  }, 0);
}

/** Returns the resident memory of a process and its children, in MB (10^6 bytes). */
export function residentMegabytes(pid: number): number {
  return family(pid).reduce((sum, member) => {
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(member, 'status'))?.[1] ?? '0';
    return sum + (Number(kibibytes) * 1024) / 1e6;
  }, 0);
}

function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => Number(statFields(each)[1]) === pid);
  return [pid, ...children.flatMap(family)];
}

/** The fields of proc(5)'s stat from the third on: state, parent, … */
function statFields(pid: number): string[] {
  const stat = readProc(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}
