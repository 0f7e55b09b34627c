/** Prints, after the last test, how many tests of each layer ran, and one closing line for all of them. */
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
    const total = { passed: 0, failed: 0, skipped: 0 };
    const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
    console.log('');
    for (const [layer, count] of layers) {
      console.log(`${layer}: ${line(count)}`);
      for (const key of Object.keys(total)) total[key] += count[key];
    }
    console.log(line(total));
  }
}
