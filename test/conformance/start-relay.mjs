import { once } from 'node:events';
import { Agent, createServer, request as send } from 'node:http';

/**
 * A relay on a free port of 127.0.0.1 in front of `target`. Requests and answers pass as they came: Host and Origin too, answers piece by piece,
 * and a hang-up on either side ends the other. `editRequest` may change `{ headers, body }` (headers flat, as received) and may return a function
 * that gets the whole text of the answer and returns another; such an answer is held until it is complete.
 */
export async function startRelay({ target, editRequest = () => undefined }) {
  const to = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    relay(incoming, outgoing).catch((error) => outgoing.destroy(error));
  });

  async function relay(incoming, outgoing) {
    const message = { headers: [...incoming.rawHeaders], body: await bytesOf(incoming) };
    const editAnswer = editRequest(message);
    if (message.body.length > 0) setHeader(message, 'content-length', String(message.body.length));
    const { hostname: host, port, pathname: path } = to;
    const onward = send({ host, port, path, method: incoming.method, headers: message.headers, agent });
    onward.on('error', (error) => failed(outgoing, error));
    onward.on('response', (answer) => {
      answer.on('error', () => outgoing.destroy());
      answer.on('aborted', () => outgoing.destroy());
      if (editAnswer) return void held(answer, outgoing, editAnswer);
      outgoing.writeHead(answer.statusCode, answer.rawHeaders);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => outgoing.writableFinished || onward.destroy());
    onward.end(message.body);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://localhost:${server.address().port}/mcp`, stop };
}

export function headerOf({ headers }, name) {
  const at = headers.findIndex((one, index) => index % 2 === 0 && one.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

/** Sets a header that is there, or adds it. */
export function setHeader(message, name, value) {
  const at = message.headers.findIndex((one, index) => index % 2 === 0 && one.toLowerCase() === name);
  if (at < 0) message.headers.push(name, value);
  else message.headers[at + 1] = value;
}

async function bytesOf(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

async function held(answer, outgoing, edit) {
  const text = edit((await bytesOf(answer)).toString());
  const headers = answer.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && !['content-length', 'transfer-encoding'].includes(name.toLowerCase()) ? [name, answer.rawHeaders[index + 1]] : [],
  );
  outgoing.writeHead(answer.statusCode, headers).end(text);
}

function failed(outgoing, error) {
  if (outgoing.headersSent || outgoing.destroyed) return outgoing.destroy();
  outgoing.writeHead(502, { 'content-type': 'text/plain' }).end(String(error));
}
