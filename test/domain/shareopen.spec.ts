// Which share led somebody to what they share: the last they opened of it, in the same session or else within 7 days.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ShareopenCommand } from '../../src/domain/shareopen/shareopen.commands.js';
import {
  inferredWithinMs,
  lastOpened,
  opensRememberedMax,
  type ShareopenState,
  shareopenDecider,
} from '../../src/domain/shareopen/shareopen.decider.js';
import type { ShareopenEvent } from '../../src/domain/shareopen/shareopen.events.js';
import { addMs, dayMs, minuteMs, toMs } from '../../src/kernel/clock.js';
import { given, Story, t0 } from '../given.js';

const opens = given(shareopenDecider);
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' } as const;
type OpenData = Extract<ShareopenCommand, { type: 'RecordShareOpen' }>['data'];
function bobOpens(shareId: string, minute: number, change: Partial<OpenData> = {}): ShareopenCommand {
  const opened = { openerId: 'bob', contentId: 'clip-1', shareId, kind: 'in_app_share_open' } as const;
  const data = { ...opened, ref: `${shareId}-${minute}`, share: { sharerId: 'ann', contentRef }, ...change };
  return { type: 'RecordShareOpen', now: addMs(t0, minute * minuteMs), data };
}
function told(...commands: ShareopenCommand[]): ShareopenState {
  const story = new Story(shareopenDecider);
  for (const command of commands) story.carryOut(command);
  return story.state;
}
const at = (minute: number, sessionId?: string) => ({ now: addMs(t0, minute * minuteMs), sessionId });

describe('an open of a share', () => {
  const opened: ShareopenEvent = {
    type: 'ShareOpened',
    data: { openerId: 'bob', contentId: 'clip-1', shareId: 's1', kind: 'in_app_share_open', ref: 's1-0' },
  };
  it('is remembered', () => opens().when(bobOpens('s1', 0)).then(opened));
  it('reported again is the same open, also when the device’s clock was put right meanwhile', () => {
    opens(opened).when(bobOpens('s1', 0)).thenNothing();
    opens(opened)
      .when(bobOpens('s1', 3, { ref: 's1-0' }))
      .thenNothing();
  });
  it.each<[string, Partial<OpenData>]>([
    ['of a share that there is not', { share: undefined }],
    ['of other content than was shared', { share: { sharerId: 'ann', contentRef: { ...contentRef, contentId: 'x' } } }],
    ['of one’s own share', { share: { sharerId: 'bob', contentRef } }],
  ])('%s is none', (_, change) =>
    opens()
      .when(bobOpens('s1', 0, change))
      .thenNothing(),
  );
});

describe('what led to a share', () => {
  const sessionId = 'evening';
  it('is the last that was opened before it, whenever the service heard of it', () => {
    const state = told(bobOpens('s1', 5), bobOpens('s2', 9), bobOpens('s3', 2));
    expect(lastOpened(state, at(9))).toEqual({ shareId: 's2', evidence: 'window' });
    expect(lastOpened(state, at(8))).toEqual({ shareId: 's1', evidence: 'window' });
    expect(lastOpened(state, at(1))).toBeUndefined();
  });
  it('is what was opened in the same session rather than what was opened later elsewhere', () => {
    const state = told(bobOpens('s1', 0, { sessionId }), bobOpens('s2', 1, { sessionId: 'other' }), bobOpens('s3', 2));
    expect(lastOpened(state, at(3, sessionId))).toEqual({ shareId: 's1', evidence: 'session' });
    expect(lastOpened(state, at(3, 'a third'))).toEqual({ shareId: 's3', evidence: 'window' });
    expect(lastOpened(state, at(3))).toEqual({ shareId: 's3', evidence: 'window' });
  });
  it('of two at the same instant is the one that was told later', () =>
    expect(lastOpened(told(bobOpens('s1', 0), bobOpens('s2', 0)), at(0))?.shareId).toBe('s2'));
  it('is nothing after seven days', () => {
    const state = told(bobOpens('s1', 0, { sessionId }));
    expect(inferredWithinMs).toBe(7 * dayMs);
    expect(lastOpened(state, { now: addMs(t0, inferredWithinMs - 1), sessionId })?.evidence).toBe('session');
    expect(lastOpened(state, { now: addMs(t0, inferredWithinMs), sessionId })).toBeUndefined();
  });
});

describe('any history of opens', () => {
  const step = fc.record({ share: fc.nat(5), minute: fc.nat(20 * 1_440), session: fc.nat(2) });
  const history = fc.array(step, { maxLength: 3 * opensRememberedMax });
  const commandsOf = (steps: readonly { share: number; minute: number; session: number }[]) =>
    steps.map(({ share, minute, session }) => bobOpens(`s${share}`, minute, { sessionId: `session-${session}` }));

  it('is remembered in a bounded part, which is the fold of its last events wherever the reading began', () =>
    fc.assert(
      fc.property(history, (steps) => {
        const story = new Story(shareopenDecider);
        for (const command of commandsOf(steps)) story.carryOut(command);
        expect(story.state.length).toBeLessThanOrEqual(opensRememberedMax);
        const tail = new Story(shareopenDecider);
        const first = Math.max(0, story.events.length - (shareopenDecider.tail ?? 0));
        for (const [index, event] of story.events.slice(first).entries()) {
          tail.record(event, story.times[first + index] as string);
        }
        expect(tail.state).toEqual(story.state);
      }),
    ));
  it('leads to an open of the last seven days that nothing later of the same evidence follows', () =>
    fc.assert(
      fc.property(history, fc.nat(20 * 1_440), (steps, minute) => {
        const state = told(...commandsOf(steps));
        const moment = at(minute, 'session-0');
        const led = lastOpened(state, moment);
        const ages = state.map((open) => ({ ...open, ageMs: toMs(moment.now) - toMs(open.at) }));
        const recent = ages.filter(({ ageMs }) => ageMs >= 0 && ageMs < inferredWithinMs);
        const inSession = recent.filter(({ sessionId }) => sessionId === 'session-0');
        expect(led?.evidence).toBe(inSession.length > 0 ? 'session' : recent.length > 0 ? 'window' : undefined);
        const among = inSession.length > 0 ? inSession : recent;
        const youngest = Math.min(...among.map(({ ageMs }) => ageMs));
        const candidates = among.filter(({ ageMs }) => ageMs === youngest).map(({ shareId }) => shareId);
        expect(candidates.at(-1)).toBe(led?.shareId);
      }),
    ));
});
