import { FORMS, type Form, type Question } from './judge.ts';

/** What a link may unfold to: three texts of the largest size, each character of three bytes. A link is hostile until read. */
const MAX_BYTES = 9 * 1024 * 1024;

const PREFIX = '#state=';

/** Writes a question as the fragment of an address. */
export async function fragmentOf(question: Question): Promise<string> {
  const bytes = await piped(new TextEncoder().encode(JSON.stringify(question)), new CompressionStream('deflate-raw'));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `${PREFIX}${text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/**
 * Reads a question from the fragment of an address; undefined where the fragment is of something else.
 *
 * @throws Error where it holds no question
 */
export async function questionOf(fragment: string): Promise<Question | undefined> {
  if (!fragment.startsWith(PREFIX)) return undefined;
  const text = atob(fragment.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const json = new TextDecoder().decode(await piped(bytes, new DecompressionStream('deflate-raw')));
  return checked(JSON.parse(json));
}

function checked(value: unknown): Question {
  const fields = new Map<string, unknown>(Object.entries(value ?? {}));
  const textAt = (name: keyof Question): string => {
    const field = fields.get(name);
    if (typeof field !== 'string') throw new Error(`the link has no ${name}`);
    return field;
  };
  return {
    old: textAt('old'),
    new: textAt('new'),
    form: formOf(textAt('form')),
    policy: textAt('policy'),
    user: textAt('user'),
    groups: textAt('groups'),
  };
}

function formOf(text: string): Form {
  const form = FORMS.find((known) => known === text);
  if (form === undefined) throw new Error('the link has a form that is not known');
  return form;
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const stream: ReadableStream<Uint8Array<ArrayBuffer>> = new Blob([bytes]).stream().pipeThrough(transform);
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    size += next.value.length;
    if (size > MAX_BYTES) throw new Error('the link is too large');
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
