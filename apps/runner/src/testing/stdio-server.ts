// A server of the older era over stdio, for tests: its tools say what they see and do what a bad server does. Run by Node as it is.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: Record<string, unknown>;
    readonly _meta?: { progressToken?: unknown };
    readonly uri?: string;
    readonly requestId?: unknown;
  };
  readonly result?: unknown;
}

const [mode = 'normal'] = process.argv.slice(2);
const send = (message: object): void => void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const answer = (id: unknown, value: unknown): void => send({ id, result: { content: [{ type: 'text', text: JSON.stringify(value) ?? 'null' }] } });
const environ = (): string[] => readFileSync('/proc/self/environ', 'latin1').split('\0').filter(Boolean);
const cancelled: unknown[] = [];
const waiting: unknown[] = [];
let questions = 0;
const asked = new Map<string, unknown>();

const tools: Record<string, (id: unknown, message: Message) => void> = {
  echo: (id, { params }) => answer(id, params?.arguments ?? null),
  seen: (id, { params }) => answer(id, { id, token: params?._meta?.progressToken ?? null }),
  crash: () => process.exit(3),
  wait: (id) => void waiting.push(id),
  cancelled: (id) => answer(id, { cancelled, waiting }),
  environ: (id) => answer(id, environ()),
  self: (id) => {
    const status = readFileSync('/proc/self/status', 'utf8');
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
    answer(id, { pid: process.pid, uid: process.getuid?.(), cwd: process.cwd(), args: process.argv.slice(2), status, limits, processes });
  },
  read: (id, { params }) => {
    try {
      answer(id, readFileSync(String(params?.arguments?.['path']), 'utf8'));
    } catch (error) {
      answer(id, String(error));
    }
  },
  write: (id, { params }) => {
    try {
      writeFileSync('file', Buffer.alloc(Number(params?.arguments?.['bytes'])));
      answer(id, 'written');
    } catch (error) {
      answer(id, String(error));
    }
  },
  connect: (id, { params }) => {
    fetch(String(params?.arguments?.['url'])).then(
      ({ status }) => answer(id, status),
      (error: unknown) => answer(id, String(error instanceof Error ? (error.cause ?? error) : error)),
    );
  },
  junk: (id) => {
    process.stdout.write('Server listening on stdio\n{"jsonrpc":"2.0","id":\n');
    process.stdout.write(Buffer.from([0x7b, 0xff, 0x00, 0xfe, 0x0a]));
    process.stdout.write(`[1,2]\n{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{}}trailing\n`);
    const text = `{"result":{"content":[{"type":"text","text":"after\\njunk"}]},"jsonrpc":"2.0",\r "id":${JSON.stringify(id)}}\r\n`;
    process.stdout.write(text.slice(0, 9));
    setTimeout(() => process.stdout.write(text.slice(9)), 5);
  },
  'long-line': (id) => {
    for (let mib = 0; mib < 50; mib += 1) process.stdout.write('x'.repeat(1024 * 1024));
    process.stdout.write(`\n`, () => answer(id, 'never read as the answer to this'));
  },
  'stderr-flood': (id) => {
    process.stderr.write(`the secret is ${environ().join(' ')}\n`);
    process.stderr.write('y'.repeat(3 * 1024 * 1024), () => {
      process.stderr.write('\nthe end\n', () => answer(id, 'flooded'));
    });
  },
  forge: (id) => {
    for (let other = 1; other < 50; other += 1) if (other !== id) answer(other, 'forged');
    answer(String(id), 'forged');
    send({ method: 'notifications/progress', params: { progressToken: Number(id) - 1, progress: 1 } });
    send({ method: 'notifications/message', params: { level: 'info', data: 'a word about another agent' } });
    answer(id, 'own');
  },
  fork: (id) => {
    let count = 0;
    const next = (): void => {
      if ((count += 1) > 300) return;
      spawn('/bin/sleep', ['20'], { stdio: 'ignore' }).on('error', () => undefined);
      setImmediate(next);
    };
    next();
    answer(id, 'forking');
  },
  spin: (id) => {
    // With another that spins on another core, which is found by whose child it is.
    spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore', detached: true });
    const piece = (): void => {
      const until = performance.now() + 20;
      while (performance.now() < until);
      setImmediate(piece);
    };
    answer(id, 'spinning');
    setImmediate(piece);
  },
  memory: (id) => {
    const held: Buffer[] = [];
    const grow = (): void => {
      if (held.length < 300) held.push(Buffer.alloc(1024 * 1024, 1));
      setImmediate(grow);
    };
    grow();
    setTimeout(() => answer(id, held.length), 20_000);
  },
  orphan: (id, { params }) => {
    // Leaves a process in a session of its own behind, and one that ends with nobody waiting for it.
    const { seconds = '30' } = (params?.arguments ?? {}) as { readonly seconds?: string };
    spawn('/bin/sh', ['-c', `setsid sleep ${seconds} & sleep 0.01 & exit 0`], { stdio: 'ignore' }).on('exit', () => answer(id, 'orphaned'));
  },
  states: (id) => {
    const states = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        try {
          return readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.[0];
        } catch {
          return undefined;
        }
      });
    answer(id, states);
  },
  progress: (id, { params }) => {
    const progressToken = params?._meta?.progressToken;
    for (let progress = 1; progress <= 3; progress += 1) send({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
    answer(id, 'done');
  },
  ask: (id) => {
    const question = `q${(questions += 1)}`;
    asked.set(question, id);
    send({ id: question, method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
  },
  change: (id) => {
    send({ method: 'notifications/tools/list_changed' });
    send({ method: 'notifications/resources/updated', params: { uri: 'test://one' } });
    answer(id, 'changed');
  },
};

function take(message: Message): void {
  const { id, method, params } = message;
  if (method === undefined) {
    const call = asked.get(String(id));
    if (call !== undefined) answer(call, message);
  } else if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} };
    send({
      id,
      result: {
        protocolVersion: '2025-11-25',
        capabilities,
        serverInfo: { name: 'stdio-server', version: '1' },
        instructions: JSON.stringify(params),
      },
    });
  } else if (method === 'notifications/cancelled') {
    cancelled.push(params?.requestId);
  } else if (method === 'tools/call') {
    const tool = tools[params?.name ?? ''];
    if (tool === undefined) send({ id, error: { code: -32602, message: 'Unknown tool' } });
    else tool(id, message);
  } else if (method === 'tools/list') {
    send({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) } });
  } else if (method === 'resources/subscribe' || method === 'resources/unsubscribe') send({ id, result: {} });
  else if (id !== undefined) send({ id, error: { code: -32601, message: 'Method not found' } });
}

if (mode === 'exit') process.exit(0);
if (mode === 'deaf') setInterval(() => undefined, 1000);
else {
  if (mode === 'stubborn') {
    process.on('SIGTERM', () => undefined);
    setInterval(() => undefined, 1000);
  }
  if (mode === 'spam') setInterval(() => process.stdout.write('spam\n'.repeat(20_000)), 1);
  createInterface({ input: process.stdin }).on('line', (line) => take(JSON.parse(line) as Message));
}
