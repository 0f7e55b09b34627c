import { writeSync } from 'node:fs';

const STDOUT = 1;

/** Prints, as the last thing of a run, how many tests of each layer ran, and one closing line for all of them. */
export default class CountReporter {
  onRunComplete(testContexts, results) {
    const layers = new Map();
    for (const file of results.testResults) {
      const layer = /\/test\/([^/]+)\//.exec(file.testFilePath)?.[1] ?? 'other';
      const count = layers.get(layer) ?? { passed: 0, failed: 0, skipped: 0 };
      count.passed += file.numPassingTests;
      // A file that could not be loaded has no tests of its own to count, and is a failure all the same.
      count.failed += file.numFailingTests + (file.testExecError && file.numFailingTests === 0 ? 1 : 0);
      count.skipped += file.numPendingTests + file.numTodoTests;
      layers.set(layer, count);
    }
    const counts = [...layers.values()];
    const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
    const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
    const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
    const lines = [...[...layers].map(([layer, count]) => `${layer}: ${line(count)}`), line(total)];
    // jest prints its own summary after its reporters have run.
    process.once('exit', () => writeSync(STDOUT, `\n${lines.join('\n')}\n`));
  }
}
