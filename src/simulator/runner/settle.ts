// After the last request: the clock goes to the end of the simulated time, and everything that follows from what was
// sent (timers, projections, the sink) is waited for, until nothing moves any more.
import type { HttpClient, Timing } from './http-client.js';

export class NotSettledError extends Error {}

export interface SettleOptions {
  readonly client: HttpClient;
  readonly importKey: string;
  readonly timing: Timing;
}

export async function moveClock(now: string, { client, importKey }: SettleOptions): Promise<void> {
  const headers = { authorization: `Bearer ${importKey}`, 'content-type': 'application/json' };
  const { status, body } = await client.send({
    method: 'POST',
    path: '/v1/clock',
    headers,
    body: JSON.stringify({ now }),
  });
  if (status >= 300) throw new NotSettledError(`POST /v1/clock: status ${status}, ${JSON.stringify(body)}`);
}
