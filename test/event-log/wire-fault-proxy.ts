// A TCP proxy between a client and a server that spoils connections: it cuts them, stalls them (the connection stays
// open and nothing gets through), delays them, and refuses new ones. What it does when is drawn from one seed.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Fault = 'cut' | 'reset' | 'stall' | 'delay';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  stalled: boolean;
  delayMs: number;
}

/** A small generator of numbers from 0 to 1 (mulberry32), so that a failing run can be run again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const faultKinds: readonly Fault[] = ['cut', 'reset', 'stall', 'delay'];

/** Inflicts one fault on all open connections and, one time in five, refuses new ones for a while. */
export async function spoil(proxy: WireFaultProxy, random: () => number): Promise<void> {
  proxy.inflict(faultKinds[Math.floor(random() * faultKinds.length)] as Fault, 5 + random() * 40);
  if (random() >= 0.2) return;
  proxy.refuse(true);
  await pause(random() * 300);
  proxy.refuse(false);
}

/** Spoils the wire every 50 to 350 ms, until it is stopped; then new connections are whole. */
export function spoiledAgainAndAgain(
  proxy: WireFaultProxy,
  random: () => number,
): { readonly count: number; stop(): Promise<void> } {
  const faults = { count: 0, stopped: false };
  const going = (async () => {
    while (!faults.stopped) {
      await pause(50 + random() * 300);
      await spoil(proxy, random);
      faults.count += 1;
    }
  })();
  return {
    get count() {
      return faults.count;
    },
    stop: () => {
      faults.stopped = true;
      return going;
    },
  };
}

export class WireFaultProxy {
  private readonly pairs = new Set<Pair>();
  private refusing = false;
  /** Connections that clients opened, refused ones included. */
  connections = 0;
  port = 0;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {}

  static async start(targetPort: number): Promise<WireFaultProxy> {
    const server = createServer();
    const proxy = new WireFaultProxy(server, targetPort);
    server.on('connection', (client) => proxy.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address === 'object' && address) proxy.port = address.port;
    return proxy;
  }

  /** Does it to every connection that is open now. */
  inflict(fault: Fault, delayMs = 50): void {
    for (const pair of this.pairs) {
      if (fault === 'cut') pair.client.destroy();
      else if (fault === 'reset') pair.client.resetAndDestroy();
      else if (fault === 'stall') this.stall(pair);
      else pair.delayMs = delayMs;
    }
  }

  /** New connections are closed at once while it is true. */
  refuse(refusing: boolean): void {
    this.refusing = refusing;
    if (refusing) this.inflict('cut');
  }

  async close(): Promise<void> {
    this.inflict('cut');
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    this.connections += 1;
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.targetPort, '127.0.0.1');
    const pair: Pair = { client, server, stalled: false, delayMs: 0 };
    this.pairs.add(pair);
    this.pass(pair, client, server);
    this.pass(pair, server, client);
  }

  /** What was read already has gone on; what comes now stays in the kernel's buffers. */
  private stall(pair: Pair): void {
    pair.stalled = true;
    pair.client.pause();
    pair.server.pause();
  }

  private pass(pair: Pair, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (pair.stalled) return;
      if (pair.delayMs > 0) this.passLater(pair, from, to, bytes);
      else if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!pair.stalled) from.resume();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.pairs.delete(pair);
      to.destroy();
    });
  }

  /** Reading stops meanwhile, so that the order is kept. */
  private passLater(pair: Pair, from: Socket, to: Socket, bytes: Buffer): void {
    from.pause();
    setTimeout(() => {
      if (pair.stalled || to.destroyed) return;
      to.write(bytes);
      from.resume();
    }, pair.delayMs);
  }
}
