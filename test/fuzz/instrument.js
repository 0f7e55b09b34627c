import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

import { createInstrumenter } from 'istanbul-lib-instrument';

/** What counts its own turns: the judgement and the policy reader, not the table of types. */
const INSTRUMENTED = /\/src\/(?:core|policy)\/(?!go-types\.ts$)[^/]+\.ts$/;

const instrumenter = createInstrumenter({ esModules: true, produceSourceMap: false });

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!INSTRUMENTED.test(url)) return loaded;
    const code = instrumenter.instrumentSync(stripTypeScriptTypes(String(loaded.source)), fileURLToPath(url));
    return { ...loaded, format: 'module', source: code };
  },
});
