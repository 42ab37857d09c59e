// The budget that the appends of all calls share: what is over it waits in order, and no longer than until its deadline.
import { describe, expect, it, jest } from '@jest/globals';
import { AppendRoom } from '../../../src/event-log/protocol/append/append-room.js';
import { AppendTimedOut } from '../../../src/event-log/protocol/exceptions.js';

const never = Date.now() + 600_000;

/** Appends that are written when they are told to be. */
function slowLog() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const append = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, append, end };
}

describe('the room for appends', () => {
  it('writes at once what fits, and the rest in order as room is made', async () => {
    const room = new AppendRoom(100);
    const { begun, append, end } = slowLog();
    const written = ['a', 'b', 'c', 'd'].map((name) => room.write(name === 'd' ? 10 : 50, never, append(name)));
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    // d is smaller, but c came first.
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (const name of ['c', 'd']) await end(name);
    expect(await Promise.all(written)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('writes one that is larger than all room by itself', async () => {
    const room = new AppendRoom(100);
    const { begun, append, end } = slowLog();
    const written = [room.write(1, never, append('small')), room.write(500, never, append('large'))];
    expect(begun).toEqual(['small']);
    await end('small');
    expect(begun).toEqual(['small', 'large']);
    await end('large');
    await Promise.all(written);
  });

  it('answers one whose deadline passes in line with Timeout and never begins it', async () => {
    const room = new AppendRoom(100);
    const { begun, append, end } = slowLog();
    const first = room.write(90, never, append('first'));
    const late = room.write(90, Date.now() + 20, append('late'));
    const small = room.write(10, never, append('small'));
    await expect(late).rejects.toBeInstanceOf(AppendTimedOut);
    expect(begun).toEqual(['first', 'small']);
    for (const name of ['first', 'small']) await end(name);
    await Promise.all([first, small]);
    expect(begun).toEqual(['first', 'small']);
  });

  it('goes on after one that failed', async () => {
    const room = new AppendRoom(100);
    const failed = room.write(100, never, async () => {
      throw new Error('refused');
    });
    const next = room.write(100, never, async () => 'written');
    await expect(failed).rejects.toThrow('refused');
    expect(await next).toBe('written');
  });

  it('is full while more waits than it has room for, and says when it is not any more', async () => {
    const room = new AppendRoom(100);
    const { append, end } = slowLog();
    const readOn = jest.fn();
    const leave = room.follow(readOn);
    const written = [room.write(60, never, append('a'))];
    expect(room.isFull).toBe(false);
    written.push(room.write(60, never, append('b')), room.write(30, never, append('c')));
    expect(room.isFull).toBe(true);
    await end('a');
    expect([room.isFull, readOn.mock.calls.length]).toEqual([false, 1]);
    leave();
    written.push(room.write(60, never, append('d')));
    for (const name of ['b', 'c', 'd']) await end(name);
    await Promise.all(written);
    expect(readOn).toHaveBeenCalledTimes(1);
  });
});
