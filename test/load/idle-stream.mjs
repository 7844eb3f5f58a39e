import { connect } from 'node:net';

const LISTEN = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'subscriptions/listen',
  params: {
    notifications: { toolsListChanged: true },
    _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
  },
});

/** A request that opens a stream, as the bytes of either era's client. */
function openingOf(url, token, isModern) {
  const head = [`Host: ${url.host}`, `Authorization: Bearer ${token}`];
  if (!isModern) return ['GET /mcp HTTP/1.1', ...head, 'Accept: text/event-stream', '', ''].join('\r\n');
  const mcp = ['MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: subscriptions/listen'];
  const body = ['Content-Type: application/json', 'Accept: application/json, text/event-stream', `Content-Length: ${LISTEN.length}`];
  return ['POST /mcp HTTP/1.1', ...head, ...mcp, ...body, '', LISTEN].join('\r\n');
}

/** One open stream, and when it was told of a change. `open` rejects with what was answered instead. */
export class IdleStream {
  toldAt = undefined;
  isOver = false;

  constructor(url, token, isModern) {
    this.socket = connect(Number(url.port), url.hostname);
    this.open = new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.once('data', (bytes) => (bytes.includes('HTTP/1.1 200') ? resolve() : reject(new Error(bytes.toString('latin1').slice(0, 200)))));
      this.socket.once('close', () => reject(new Error('closed without an answer')));
    });
    this.socket.on('data', (bytes) => {
      if (this.toldAt === undefined && bytes.includes('tools/list_changed')) this.toldAt = performance.now();
    });
    this.socket.on('close', () => (this.isOver = true));
    this.socket.write(openingOf(url, token, isModern));
  }
}

/** Agents of a new group, and the key of each; nodes know them all when it resolves. */
export async function makeListeners(api, count) {
  await api.groups.create({ slug: 'listeners' });
  const keys = [];
  for (let at = 0; at < count; at += 1) {
    const slug = `listener-${at}`;
    await api.agents.create({ slug });
    await api.groups.addMember('listeners', slug);
    keys.push((await api.agents.createKey(slug, {}, at === count - 1 ? { wait: 'all' } : {})).value.key);
  }
  return keys;
}
