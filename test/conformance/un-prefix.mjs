import { headerOf, setHeader, startRelay } from './start-relay.mjs';

const LISTS = { 'tools/list': 'tools', 'prompts/list': 'prompts' };

/**
 * The suite knows its tools and prompts by fixed names; the endpoint of all servers shows them as `<prefix><name>`. This adds the prefix to names in
 * requests and takes it off in lists. Everything else passes untouched.
 */
export const startUnPrefix = (target, prefix) => startRelay({ target, editRequest: (message) => rename(message, prefix) });

function rename(message, prefix) {
  const call = parsed(message.body.toString());
  const params = call?.params;
  const named = call?.method === 'tools/call' || call?.method === 'prompts/get' ? params : undefined;
  const reference = call?.method === 'completion/complete' && params?.ref?.type === 'ref/prompt' ? params.ref : undefined;
  const holder = typeof named?.name === 'string' ? named : reference;
  if (holder) {
    // A header that differs from the body on purpose has to arrive like that.
    const mirrored = headerOf(message, 'mcp-name');
    if (named && mirrored !== undefined && decoded(mirrored) === named.name) setHeader(message, 'mcp-name', prefix + named.name);
    holder.name = prefix + holder.name;
    message.body = Buffer.from(JSON.stringify(call));
  }
  const list = LISTS[call?.method];
  return list && ((text) => withoutPrefix(text, { id: call.id, list, prefix }));
}

function withoutPrefix(text, asked) {
  if (parsed(text)) return shortened(text, asked);
  return text.replace(/^data: (.*)$/gm, (line, data) => `data: ${shortened(data, asked)}`);
}

function shortened(text, { id, list, prefix }) {
  const answer = parsed(text);
  if (answer?.id !== id || !Array.isArray(answer.result?.[list])) return text;
  const own = answer.result[list].filter(({ name }) => name.startsWith(prefix));
  answer.result[list] = own.map((item) => ({ ...item, name: item.name.slice(prefix.length) }));
  return JSON.stringify(answer);
}

function decoded(value) {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value);
  return encoded ? Buffer.from(encoded[1], 'base64').toString() : value;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
