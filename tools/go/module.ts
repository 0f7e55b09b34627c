import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Returns where Go's module cache keeps `module`, such as `example.com/module@v1.2.3`, and fetches it if need be. */
export async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module]);
  const answer: unknown = JSON.parse(stdout);
  if (typeof answer === 'object' && answer !== null && 'Dir' in answer && typeof answer.Dir === 'string') {
    return answer.Dir;
  }
  throw new Error(`go mod download ${module} names no folder: ${stdout}`);
}
