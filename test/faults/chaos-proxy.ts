import { connect, createServer, type Server, type Socket } from 'node:net';

/** Who speaks: `up` from the one that connects, `down` from the one that is connected to. */
export type Direction = 'up' | 'down';

/** Stands between two processes and does to their connections what networks do. */
export interface ChaosProxy {
  /** The address, with this proxy in place of what it leads to. */
  url(of: string): string;
  /** Every piece arrives so much later. */
  delay(ms: number): void;
  /** Connections are reset, and new ones too. Loud. */
  cut(): void;
  /** What is sent that way is swallowed; connections stay, and new ones are taken. Silent. */
  swallow(...directions: Direction[]): void;
  /** Resets every connection after so many more bytes of the answer, in the middle of whatever it is. */
  truncate(bytes: number): void;
  /** Leads somewhere else from now on. */
  retarget(port: number): void;
  /** As if nothing had been. Connections that lost something are reset. */
  heal(): void;
  close(): Promise<void>;
}

interface Weather {
  delayMs: number;
  isCut: boolean;
  swallowed: ReadonlySet<Direction>;
  bytesLeft: number;
}

const fair = (): Weather => ({ delayMs: 0, isCut: false, swallowed: new Set(), bytesLeft: Number.POSITIVE_INFINITY });

/** Opens a proxy on a free port of the loopback address. */
export async function startChaosProxy(target: number): Promise<ChaosProxy> {
  const way = new Way(target);
  const server: Server = createServer({ allowHalfOpen: true }, (downstream) => way.take(downstream));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: (of) => Object.assign(new URL(of), { port: String(own) }).href,
    delay: (ms) => void (way.weather.delayMs = ms),
    cut: () => {
      way.weather.isCut = true;
      way.resetAll();
    },
    swallow: (...directions) => void (way.weather.swallowed = new Set(directions)),
    truncate: (bytes) => void (way.weather.bytesLeft = bytes),
    retarget: (to) => {
      way.port = to;
      way.resetAll();
    },
    heal: () => way.heal(),
    close: () =>
      new Promise((resolve) => {
        way.resetAll();
        server.close(() => resolve());
      }),
  };
}

/** The connections of a proxy, and what befalls them. */
class Way {
  weather = fair();
  port: number;
  private readonly pairs = new Map<Socket, Socket>();
  private readonly spoilt = new Set<Socket>();

  constructor(port: number) {
    this.port = port;
  }

  take(downstream: Socket): void {
    if (this.weather.isCut) return void downstream.resetAndDestroy();
    const upstream = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.pairs.set(downstream, upstream);
    downstream.once('close', () => {
      this.pairs.delete(downstream);
      this.spoilt.delete(downstream);
    });
    for (const socket of [downstream, upstream]) socket.setNoDelay(true);
    this.pass('up', downstream, { from: downstream, to: upstream });
    this.pass('down', downstream, { from: upstream, to: downstream });
  }

  resetAll(): void {
    for (const socket of this.pairs.keys()) this.reset(socket);
  }

  heal(): void {
    this.weather = fair();
    for (const socket of this.spoilt) this.reset(socket);
  }

  private reset(downstream: Socket): void {
    downstream.resetAndDestroy();
    this.pairs.get(downstream)?.resetAndDestroy();
  }

  private pass(direction: Direction, downstream: Socket, { from, to }: { from: Socket; to: Socket }): void {
    from.on('data', (bytes) => {
      const { weather } = this;
      if (weather.swallowed.has(direction)) return void this.spoilt.add(downstream);
      const piece = direction === 'down' ? bytes.subarray(0, weather.bytesLeft) : bytes;
      if (direction === 'down') weather.bytesLeft -= piece.length;
      this.later(() => {
        if (!to.destroyed && !to.write(piece)) from.pause();
        if (weather.bytesLeft <= 0) this.reset(downstream);
      });
    });
    to.on('drain', () => from.resume());
    from.once('end', () => this.later(() => to.end()));
    from.on('error', () => to.destroy());
    from.once('close', () => this.later(() => to.destroy()));
  }

  private later(act: () => void): void {
    if (this.weather.delayMs === 0) act();
    else setTimeout(act, this.weather.delayMs);
  }
}
