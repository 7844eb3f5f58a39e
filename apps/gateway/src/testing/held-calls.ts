import type { Scripted } from './scripted-server.js';

/** What a scripted server does that answers no call by itself: it holds those it gets, and notes what is cancelled. */
export class HeldCalls {
  readonly held: (Scripted & { closed: boolean })[] = [];
  readonly told: { readonly session: unknown; readonly requestId: unknown }[] = [];
  private sessions = 0;

  readonly answer = (exchange: Scripted): void => {
    const { message, request, response, json } = exchange;
    if (message.method === 'initialize') {
      response.setHeader('mcp-session-id', `session-${String((this.sessions += 1))}`);
      json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
      return;
    }
    if (message.method === 'notifications/cancelled')
      this.told.push({ session: request.headers['mcp-session-id'], requestId: message.params?.['requestId'] });
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const call = { ...exchange, closed: false };
    response.on('close', () => (call.closed = true));
    this.held.push(call);
  };

  /** Hangs up on all that are held, and forgets what it was told. */
  drop(): void {
    for (const { response } of this.held) response.destroy();
    this.held.length = 0;
    this.told.length = 0;
  }
}
