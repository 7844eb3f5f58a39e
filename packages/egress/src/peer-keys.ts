import { hash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';

const ORIGINS_MAX = 100_000;

/** Which public keys servers have shown for TLS: of each origin the one of the newest connection. Looked at once for each connection. */
export class PeerKeys {
  private readonly keys = new Map<string, string>();

  /** The same connector, whose connections are noted. */
  noting(connect: buildConnector.connector): buildConnector.connector {
    return (target, callback) =>
      connect(target, (...made) => {
        const [, socket] = made;
        if (socket instanceof TLSSocket) this.note(`${target.protocol}//${target.host ?? target.hostname}`, socket);
        callback(...made);
      });
  }

  of(url: string | URL): string | undefined {
    return this.keys.get(new URL(url).origin);
  }

  private note(origin: string, socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return;
    if (this.keys.size >= ORIGINS_MAX) this.keys.clear();
    this.keys.set(origin, hash('sha256', certificate.publicKey.export({ type: 'spki', format: 'der' }), 'hex'));
  }
}
