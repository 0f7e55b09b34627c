/** A mutant that no test can tell from the code that it stands in place of. */
interface EquivalentMutant {
  readonly file: string;
  /** The changed lines in one line, as `npm run mutation` prints them. */
  readonly mutated: string;
  readonly why: string;
}

export const EQUIVALENT_MUTANTS: readonly EquivalentMutant[] = [
  ...[
    '{}',
    '{ allErrors: false, strict: false, validateSchema: false }',
    '{ allErrors: false, strict: true, validateSchema: true }',
  ].map((options) => ({
    file: 'src/core/admission.ts',
    mutated: `const ajv = new Ajv(${options});`,
    why: "Strictness and the check of the schema matter only for a schema with a mistake in it; the rest is ajv's default.",
  })),
  ...['if (false) return text;', 'if (text.length < max && PLAIN.test(text)) return text;'].map((mutated) => ({
    file: 'src/core/text.ts',
    mutated,
    why: 'The line is a short cut: what follows returns a plain text as it is.',
  })),
  {
    file: 'src/core/text.ts',
    mutated: String.raw`const PLAIN = /^[\x20-\x7e]$/;`,
    why: 'Fewer texts take the short cut; what follows returns a plain text as it is.',
  },
  {
    file: 'src/core/text.ts',
    mutated:
      'for (let length = text.length; utf8Length(shortened) > max; length -= 1) shortened = shorten(text, length + 1);',
    why: 'Two rounds more, which shorten nothing, come before the same ones.',
  },
];
