import { spawn } from 'node:child_process';

/** A stdio server as its own client starts it: one child, requests matched to answers by id. */
export class StdioConnection {
  #waiting = new Map();
  #count = 0;
  #rest = '';

  constructor(file, args) {
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.child.stdout.setEncoding('utf8');
    this.child.stdout.on('data', (text) => this.#take(text));
  }

  request(method, params) {
    const id = (this.#count += 1);
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async open() {
    await this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
    this.child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  }

  close() {
    this.child.kill('SIGKILL');
  }

  #take(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      const { id, result, error } = JSON.parse(line);
      const pending = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) pending?.reject(new Error(error.message));
      else pending?.resolve(result);
    }
  }
}
