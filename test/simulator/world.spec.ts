// The world of profile `tiny`: within its budget, to the byte the same for a seed, and shaped as docs/simulator.md says.
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { friendsMax, openOutgoingMax, requestsPerDayNewMax } from '../../src/domain/friendship/friendship.decider.js';
import { dayMs, hourMs } from '../../src/kernel/clock.js';
import { batches } from '../../src/simulator/delivery.js';
import { fileDigests, worldFiles } from '../../src/simulator/files.js';
import { readChains } from '../../src/simulator/oracle/chains.js';
import { delivered } from '../../src/simulator/oracle/delivered.js';
import { makeTruth, type Truth } from '../../src/simulator/oracle/truth.js';
import { type Profile, profiles } from '../../src/simulator/profile.js';
import { placeholders } from '../../src/simulator/sequence.js';
import { makeWorld, type World } from '../../src/simulator/world.js';

let world: World;
let truth: Truth;
const routes = (pattern: RegExp) => world.commands.filter(({ method, path }) => pattern.test(`${method} ${path}`));

beforeAll(() => {
  world = makeWorld(profiles['tiny'] as Profile, 1);
  truth = makeTruth(world);
});

describe('the same seed', () => {
  it('gives the same bytes in another process, and another seed others', () => {
    const nano = makeWorld(profiles['nano'] as Profile, 5);
    const here = fileDigests(worldFiles(nano, makeTruth(nano)));
    const args = ['--import', './test/register.mjs', 'test/simulator/digest.ts', 'nano'];
    const there = (seed: string) =>
      JSON.parse(execFileSync(process.execPath, [...args, seed], { encoding: 'utf8' })) as object;
    expect(there('5')).toEqual(here);
    expect(Object.values(there('6'))).not.toEqual(Object.values(here));
  });
});

describe('the budget of tiny', () => {
  it('is 1,000 people, about 40,000 commands and at most 150,000 observations', () => {
    expect(world.people).toHaveLength(1_000);
    expect(world.commands.length).toBeGreaterThan(36_000);
    expect(world.commands.length).toBeLessThan(44_000);
    expect(world.observations.length).toBeGreaterThan(60_000);
    expect(world.observations.length).toBeLessThanOrEqual(150_000);
  });

  it('lasts 30 days of September 2026 and a day to settle', () => {
    expect(world.endsAt - world.startsAt).toBe(31 * dayMs);
    expect(truth.from).toBe('2026-09-01T00:00:00.000Z');
    expect(truth.to).toBe('2026-10-01T00:00:00.000Z');
    expect(truth.clickBackMatureBefore).toBe('2026-09-25T00:00:00.000Z');
  });
});

describe('the people', () => {
  it('agree to brand measurement in 80 of 100 adults, nobody else; some take it back', () => {
    const adults = world.people.filter(({ ageBand }) => ageBand === '18_plus');
    const share = adults.filter(({ consentAt }) => consentAt !== undefined).length / adults.length;
    expect(share).toBeGreaterThan(0.76);
    expect(share).toBeLessThan(0.84);
    const others = world.people.filter(({ ageBand }) => ageBand !== '18_plus');
    expect(others.some(({ consentAt }) => consentAt !== undefined)).toBe(false);
    expect(adults.filter(({ withdrawsAt }) => withdrawsAt !== undefined).length).toBeGreaterThan(5);
  });

  it('have heavy-tailed degrees around the mean of the profile', () => {
    const degrees = new Map<string, number>();
    for (const { member, path } of routes(/^POST \/v1\/friend-requests\/.+\/accept$/)) {
      for (const id of [member, path.split('/')[3]]) degrees.set(id as string, (degrees.get(id as string) ?? 0) + 1);
    }
    const sorted = [...degrees.values()].sort((a, b) => a - b);
    const mean = sorted.reduce((sum, degree) => sum + degree, 0) / 1_000;
    expect(mean).toBeGreaterThan(4.5);
    expect(mean).toBeLessThan(8);
    expect(sorted.at(-1)).toBeGreaterThan(4 * mean);
  });

  it('sleep in the small hours and are lively in the evening of their own time', () => {
    const offsets = new Map(world.people.map(({ id, utcOffsetHours }) => [id, utcOffsetHours]));
    const hours = Array.from({ length: 24 }, () => 0);
    for (const { type, time, data } of world.observations) {
      if (type !== 'SessionStarted') continue;
      const local = Date.parse(time) / hourMs + (offsets.get(data['memberId'] as string) ?? 0);
      hours[Math.floor(local) % 24] = (hours[Math.floor(local) % 24] as number) + 1;
    }
    expect(hours[21] as number).toBeGreaterThan(5 * (hours[4] as number));
  });
});

describe('what is sent', () => {
  it('is in order of time, with places 0, 1, 2 …', () => {
    expect(world.commands.every(({ n }, index) => n === index)).toBe(true);
    expect(world.commands.every(({ at }, index) => index === 0 || at >= (world.commands[index - 1]?.at ?? ''))).toBe(
      true,
    );
  });

  it('names only results that an earlier command keeps, and keeps only what is named', () => {
    const kept = new Set<string>();
    const named = new Set<string>();
    const unknown: string[] = [];
    for (const command of world.commands) {
      for (const name of placeholders(command)) {
        if (!kept.has(name)) unknown.push(name);
        named.add(name);
      }
      for (const name of Object.keys(command.keep ?? {})) kept.add(name);
    }
    expect(unknown).toEqual([]);
    expect(named).toEqual(kept);
  });

  it('numbers replies and read marks within the thread as it stands then', () => {
    const lengths = new Map<string, number>();
    const wrong: string[] = [];
    for (const { path, body } of world.commands) {
      const [, , root, id = '', what] = path.split('/');
      const conversation = root === 'brands' ? path.split('/')[5] : root === 'conversations' ? id : undefined;
      const length = lengths.get(conversation ?? '') ?? 0;
      const reply = body?.['replyTo'] as { seq: number } | undefined;
      if (reply && reply.seq >= length) wrong.push(path);
      if (what === 'read' && body?.['seq'] !== length - 1) wrong.push(path);
      if (path.endsWith('/messages')) lengths.set(conversation ?? '', length + 1);
      for (const into of (body?.['conversationIds'] as string[] | undefined) ?? []) {
        lengths.set(into, (lengths.get(into) ?? 0) + 1);
      }
    }
    expect(wrong).toEqual([]);
    expect(lengths.size).toBeGreaterThan(1_000);
  });

  it('has every way a share and a friend request can end', () => {
    for (const verdict of ['accept', 'decline', 'cancel']) {
      expect(routes(new RegExp(`^POST /v1/friend-requests/.+/${verdict}$`)).length).toBeGreaterThan(20);
    }
    for (const fate of ['completed', 'cancelled', 'abandoned']) {
      expect(world.happened.get(`shares.${fate}`)).toBeGreaterThan(50);
    }
    expect(routes(/^PUT \/v1\/blocks\//).length).toBeGreaterThan(5);
    expect(routes(/^POST \/v1\/orders\/.+\/refunds$/).length).toBeGreaterThan(5);
  });

  it('comes nowhere near the limits of friendship, so that no outcome hangs on how far a read model is', () => {
    const sent = new Map<string, number[]>();
    for (const { member = '', at } of routes(/^POST \/v1\/friend-requests$/)) {
      sent.set(member, [...(sent.get(member) ?? []), Date.parse(at)]);
    }
    const met = new Map<string, number>();
    for (const { member = '', path } of routes(/^POST \/v1\/friend-requests(\/.+\/accept)?$/)) {
      for (const id of [member, path.split('/')[3] ?? member]) met.set(id, (met.get(id) ?? 0) + 1);
    }
    const within24h = [...sent.values()].flatMap((times) =>
      times.map((at) => times.filter((other) => other <= at && other > at - dayMs).length),
    );
    // As if every account were new.
    expect(Math.max(...within24h)).toBeGreaterThan(2);
    expect(Math.max(...within24h)).toBeLessThan(0.7 * requestsPerDayNewMax);
    // Nothing ends in these counts, and still they are far below.
    expect(Math.max(...[...sent.values()].map(({ length }) => length))).toBeLessThan(openOutgoingMax / 10);
    expect(Math.max(...met.values())).toBeLessThan(friendsMax / 10);
  });

  it('keeps most chains at one hop, and some deeper', () => {
    const parents = new Map<string, string | undefined>();
    for (const { body } of routes(/^POST \/v1\/shares$/)) {
      parents.set(body?.['shareId'] as string, body?.['parentShareId'] as string | undefined);
    }
    const depth = (id: string | undefined): number => (id && parents.get(id) ? 1 + depth(parents.get(id)) : 0);
    const depths = [...parents.keys()].map(depth);
    expect(depths.filter((one) => one === 0).length / depths.length).toBeGreaterThan(0.85);
    expect(Math.max(...depths)).toBeGreaterThanOrEqual(2);
  });

  it('has shares whose app names no parent and whose sharer had opened another’s of the same clip', () => {
    const chains = readChains(delivered(world.commands, world.observations));
    const inferred = chains.filter((share) => share.inferred);
    expect(inferred.length).toBeGreaterThan(10);
    expect(inferred.length).toBeLessThan(chains.filter(({ parent }) => parent !== '').length);
  });
});

describe('what is observed', () => {
  it('comes late, twice, out of order and sometimes not at all, but never after 7 days', () => {
    const seen = new Set<string>();
    let duplicates = 0;
    let outOfOrder = 0;
    let newest = '';
    for (const { source, id, time } of world.observations) {
      if (seen.has(`${source} ${id}`)) duplicates += 1;
      seen.add(`${source} ${id}`);
      if (time < newest) outOfOrder += 1;
      else newest = time;
    }
    expect(duplicates / seen.size).toBeGreaterThan(0.02);
    expect(outOfOrder / seen.size).toBeGreaterThan(0.05);
    expect(world.happened.get('observations.lost')).toBeGreaterThan(100);
    for (const { at, items } of batches(world.observations)) {
      expect(items.length).toBeLessThanOrEqual(1_000);
      const oldest = Math.min(...items.map(({ time }) => Date.parse(time)));
      expect(Date.parse(at) - oldest).toBeLessThan(7 * dayMs);
    }
    const late = world.observations.filter(
      ({ deliveredAt, time }) => Date.parse(deliveredAt) - Date.parse(time) > dayMs,
    );
    expect(late.length).toBeGreaterThan(100);
  });
});
