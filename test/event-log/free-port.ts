// A port for a server that is stopped and started again while clients knock. It lies below the range from which the
// kernel takes the ports of outgoing connections: a client that knocks at a free port of that range can be given the
// very port as its own, is then connected to itself, and the server cannot have its port back.
import { createServer } from 'node:net';

const lowest = 10_000;
const highest = 29_999;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
