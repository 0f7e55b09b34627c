import {
  isScalar,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  visit,
  type Document,
  type DocumentOptions,
  type ParseOptions,
  type SchemaOptions,
  type YAMLMap,
} from 'yaml';

/** Something that is wrong in a text, and where: lines and columns count from 1. */
export interface TextProblem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A YAML text as its nodes, with what is wrong about it. */
export interface YamlText {
  readonly document: Document.Parsed;
  /** Why the nodes cannot be relied on. */
  readonly syntaxProblems: readonly TextProblem[];
  /** Keys that stand twice in a map: the nodes are sound, their meaning is not. */
  readonly duplicateKeys: readonly TextProblem[];
  /** Words a problem of what stands at `offset`. */
  readonly problemAt: (offset: number, text: string) => TextProblem;
}

/** `core`: scalars as YAML 1.2 reads them. `failsafe`: every scalar is its text. */
export type Schema = 'core' | 'failsafe';

const TOO_DEEP = 'nested too deeply';

/**
 * Reads one YAML document, as YAML 1.2 whatever version it says it has: tags of its own are problems, and so are keys
 * that are not text. JSON is YAML.
 */
export function readYaml(text: string, schema: Schema): YamlText {
  const lineCounter = new LineCounter();
  return yamlText(parseDocument(text, optionsFor(schema, lineCounter)), lineCounter);
}

/** Reads each document of a YAML stream as `readYaml` reads one. */
export function readYamlDocuments(text: string, schema: Schema): YamlText[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, optionsFor(schema, lineCounter));
  return [...documents].map((document) => yamlText(document, lineCounter));
}

function optionsFor(schema: Schema, lineCounter: LineCounter): ParseOptions & DocumentOptions & SchemaOptions {
  return {
    lineCounter,
    schema, // named, since a %YAML directive would choose another
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false, // looked for below: theirs compares each key of a map with every other
    prettyErrors: false,
  };
}

function yamlText(document: Document.Parsed, lineCounter: LineCounter): YamlText {
  const problemAt = (offset: number, problem: string): TextProblem => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col, text: problem };
  };
  // A warning is a tag that is not known.
  const syntaxProblems = [...document.errors, ...document.warnings].map(({ code, message, pos: [offset] }) =>
    problemAt(offset, SYNTAX_PROBLEMS.get(code) ?? message),
  );
  if (syntaxProblems.some((problem) => problem.text === TOO_DEEP)) {
    return { document, syntaxProblems: [problemAt(0, TOO_DEEP)], duplicateKeys: [], problemAt };
  }

  const duplicateKeys = findDuplicateKeys(document).map(({ offset, name }) =>
    problemAt(offset, `duplicate key ${JSON.stringify(name)}`),
  );
  return { document, syntaxProblems, duplicateKeys, problemAt };
}

/** What the parser's own words do not say well. */
const SYNTAX_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['MULTIPLE_DOCS', 'a second document begins here; write one a file'],
  ['BAD_ALIAS', 'a text that begins with * needs quotes: "*"'],
  ['NON_STRING_KEY', 'a key must be text'],
  ['TAG_RESOLVE_FAILED', 'a tag that is not read; leave it out'],
  ['RESOURCE_EXHAUSTION', TOO_DEEP],
]);

interface KeyAt {
  readonly name: string;
  readonly offset: number;
}

function findDuplicateKeys(document: Document.Parsed): KeyAt[] {
  const found: KeyAt[] = [];
  visit(document, { Map: (_key, map) => void found.push(...repeatedKeys(map)) });
  return found;
}

function repeatedKeys(map: YAMLMap): KeyAt[] {
  const seen = new Set<string>();
  const found: KeyAt[] = [];
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    if (seen.has(name)) found.push({ name, offset: key.range?.[0] ?? 0 });
    seen.add(name);
  }
  return found;
}
