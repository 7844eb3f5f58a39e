import type { z } from 'zod';

/** The control plane answered, but not with what was asked for. */
export class ControlPlaneRefusal extends Error {
  override readonly name = 'ControlPlaneRefusal';

  constructor(readonly status: number) {
    super(`The control plane answered ${String(status)}`);
  }
}

/** One request: a POST where it has a body, else a GET. It ends within 5 s, or `deadlineMs`. */
export interface ControlPlaneRequest {
  readonly bearer: string;
  readonly body?: unknown;
  /** The media type of `body`. */
  readonly type?: string;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 5000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** How a process that control planes know by a key of its own asks the one that it was configured with. Each request may fail. */
export class ControlPlaneLink {
  constructor(private readonly baseUrl: string) {}

  async send(path: string, { bearer, body, type = 'application/json', signal, deadlineMs = DEADLINE_MS }: ControlPlaneRequest): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${bearer}`, accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = type;
    const deadline = AbortSignal.timeout(deadlineMs);
    return fetch(new URL(path, this.baseUrl), {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error', // our key goes to the address that was configured and to no other
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
  }

  /** The body of an answer. Throws `ControlPlaneRefusal` where it is none of success. */
  async bytes(response: Response): Promise<Uint8Array> {
    if (!response.ok) {
      await response.body?.cancel();
      throw new ControlPlaneRefusal(response.status);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > ANSWER_BYTES_MAX) throw new Error('The answer of the control plane is too large');
    return bytes;
  }

  /** What it answers, held against its contract. */
  async json<T extends z.ZodType>(schema: T, path: string, request: ControlPlaneRequest): Promise<z.infer<T>> {
    const bytes = await this.bytes(await this.send(path, request));
    return schema.parse(JSON.parse(Buffer.from(bytes).toString()));
  }
}
