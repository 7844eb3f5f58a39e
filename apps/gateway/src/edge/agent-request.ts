import { IncomingMessage } from 'node:http';

/**
 * A request whose headers are read from their raw lines alone, by the front filter. Node asks each request for its `Expect`, and would sort all of its
 * headers into an object for that: 3 % of what a node does for a small call. Of `headers` it has that one alone, so its server must not require a `Host`.
 */
export class AgentRequest extends IncomingMessage {}

// Node's own is an accessor too, which its types call a property.
Object.defineProperty(AgentRequest.prototype, 'headers', {
  get(this: IncomingMessage): { expect?: string } {
    const expect = expectOf(this.rawHeaders);
    return expect === undefined ? NONE : { expect };
  },
});

const NONE = {};
const EXPECT = 'expect';

function expectOf(rawHeaders: readonly string[]): string | undefined {
  let expect: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== EXPECT.length || name.toLowerCase() !== EXPECT) continue;
    expect = expect === undefined ? rawHeaders[at + 1] : `${expect}, ${rawHeaders[at + 1]}`;
  }
  return expect;
}
