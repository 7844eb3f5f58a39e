/** The way out that requests for tokens and metadata take. It follows no redirect. */
export type OauthFetch = (url: string, init?: RequestInit) => Promise<Response>;

const BODY_BYTES_MAX = 256 * 1024;

/** The text of an answer, unpacked; undefined for more than so many bytes of it, however few came over the wire. */
export async function readText(response: Response, bytesMax: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined; // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The JSON of an answer; undefined for anything else, and for more of it than such an answer holds. */
export async function readJson(response: Response): Promise<unknown> {
  const text = await readText(response, BODY_BYTES_MAX);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The member of an object that came as JSON, where it is a text that is not empty. */
export function textMember(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' && member !== '' ? member : undefined;
}

/** The own member of an object that came as JSON. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
