/** Decodes UTF-8, without a byte order mark; undefined where the bytes are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Words why a file cannot be read: `jobguard.yaml: cannot be read: ENOENT: no such file or directory, …`. */
export function unreadable(file: string, error: unknown): string {
  return `${file}: cannot be read: ${String(error).replace(/^Error: /, '')}`;
}
