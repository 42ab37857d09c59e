// What the service was given, in the order in which it takes it: commands, and observations as they arrive (the first
// delivery of each, with a clock that runs ahead put right). The oracle knows the files and docs/metrics.md, nothing else.
import { minuteMs, toMs } from '../../kernel/clock.js';
import { batches } from '../delivery.js';
import type { DeliveredObservation, JsonObject, SimulatedCommand } from '../script.js';

export interface Command {
  readonly at: number;
  readonly order: number;
  readonly member: string;
  readonly brand: string;
  readonly agent: string;
  readonly route: string;
  /** Ids and codes in the path, in order. */
  readonly params: readonly string[];
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}
export interface Observation {
  /** When it happened, as far as the service believes it. */
  readonly at: number;
  /** Where its arrival stands among the commands. */
  readonly order: number;
  readonly type: string;
  readonly data: JsonObject;
}
export interface Delivered {
  readonly commands: readonly Command[];
  readonly observations: readonly Observation[];
}

/** An observation whose device is further ahead than this is dated by its arrival. */
const clockAheadMaxMs = 5 * minuteMs;

const patterns: readonly (readonly [string, RegExp])[] = [
  ['POST /v1/members', /^POST \/v1\/members$/],
  ['PUT consent', /^PUT \/v1\/members\/me\/consents\/([a-z_]+)$/],
  ['POST request', /^POST \/v1\/friend-requests$/],
  ['answer request', /^POST \/v1\/friend-requests\/([^/]+)\/(accept|decline|cancel)$/],
  ['DELETE friend', /^DELETE \/v1\/friends\/([^/]+)$/],
  ['PUT block', /^PUT \/v1\/blocks\/([^/]+)$/],
  ['DELETE block', /^DELETE \/v1\/blocks\/([^/]+)$/],
  ['POST read', /^POST \/v1\/conversations\/([^/]+)\/read$/],
  ['POST /v1/products', /^POST \/v1\/products$/],
  ['PUT /v1/products', /^PUT \/v1\/products\/([^/]+)$/],
  ['POST /v1/conversations', /^POST \/v1\/conversations$/],
  ['POST message', /^POST \/v1\/conversations\/([^/]+)\/messages$/],
  ['POST brand message', /^POST \/v1\/brands\/([^/]+)\/conversations\/([^/]+)\/messages$/],
  ['POST share', /^POST \/v1\/shares$/],
  ['POST complete', /^POST \/v1\/shares\/([^/]+)\/complete$/],
  ['POST link', /^POST \/v1\/shares\/([^/]+)\/link$/],
  ['open', /^GET \/s\/\{\{code:([^}]+)\}\}$/],
  ['member open', /^POST \/v1\/link-opens$/],
  ['POST cart', /^POST \/v1\/cart\/items$/],
  ['POST order', /^POST \/v1\/orders$/],
  ['POST refund', /^POST \/v1\/orders\/([^/]+)\/refunds$/],
];

export function delivered(
  commands: readonly SimulatedCommand[],
  observations: readonly DeliveredObservation[],
): Delivered {
  return {
    commands: commands.flatMap((command) => read(command) ?? []),
    observations: arrivals(commands, observations),
  };
}

/** Undefined for a command that no figure rests on. */
function read({ n, at, member, brand, agent, method, path, body, headers }: SimulatedCommand): Command | undefined {
  const request = `${method} ${path}`;
  for (const [route, pattern] of patterns) {
    const match = pattern.exec(request);
    if (!match) continue;
    const who = { member: member ?? '', brand: brand ?? '', agent: agent ?? '' };
    const what = { params: match.slice(1), body: body ?? {}, headers: headers ?? {} };
    return { at: toMs(at), order: n, ...who, route, ...what };
  }
  return undefined;
}

/** A batch is taken after every command that is not later than it. */
function arrivals(commands: readonly SimulatedCommand[], observations: readonly DeliveredObservation[]): Observation[] {
  const times = commands.map(({ at }) => at);
  const known = new Set<string>();
  const arrived: Observation[] = [];
  let next = 0;
  for (const batch of batches(observations)) {
    while (next < times.length && (times[next] as string) <= batch.at) next += 1;
    const receivedAt = toMs(batch.at);
    for (const { source, id, type, time, data } of batch.items) {
      const key = JSON.stringify([source, id]);
      if (known.has(key)) continue;
      known.add(key);
      const claimed = toMs(time);
      const at = claimed > receivedAt + clockAheadMaxMs ? receivedAt : claimed;
      arrived.push({ at, order: next - 0.5, type, data });
    }
  }
  return arrived;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
export function record(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
export function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}
export function whole(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
