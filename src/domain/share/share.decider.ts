// One act of sharing ends once: completed or, after half an hour of silence, abandoned. A callback that comes later still
// completes it and the abandonment no longer counts. A second report of where it went only ever raises the evidence.
import { addMs, toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import { type ContentRef, type ProductRef, shareDepthMax } from '../vocabulary.js';
import { type Channel, tellsMore } from './channel.js';
import type { ParentShare, ShareCommand, SourceMoment } from './share.commands.js';
import { type ShareEvent, shareAbandonedAfterMs } from './share.events.js';

type Initiated = DataOf<ShareEvent, 'ShareInitiated'>;
/** What every later event of the share repeats. */
type Act = Omit<Initiated, 'suggestedTargets'>;
type Completed = DataOf<ShareEvent, 'ShareCompleted'>;

type InApp = Extract<Completed, { destinationClass: 'in_app' }>;

type Terminal =
  | { readonly kind: 'abandoned' }
  | {
      readonly kind: 'in_app';
      readonly destination: InApp['destination'];
      readonly recipients: InApp['recipients'];
      readonly messageIds: readonly string[];
      readonly momentId?: string | undefined;
    }
  | { readonly kind: 'off_platform'; readonly channel: Channel };

export interface InitiatedShare {
  readonly act: Act;
  readonly initiatedAt: string;
  readonly terminal?: Terminal | undefined;
}
export type ShareState = InitiatedShare | undefined;

/** To everybody but the sharer the share is not there. */
function ownShare(state: ShareState, sharerId: string): InitiatedShare {
  if (state?.act.sharerId !== sharerId) throw new Rejection('share-not-found', 'no such share');
  return state;
}

const alreadyCompleted = (): Rejection =>
  new Rejection('share-already-completed', 'the share went somewhere else already');

function sameSubject(
  a: { readonly contentRef: ContentRef; readonly productRefs: readonly ProductRef[] },
  b: { readonly contentRef: ContentRef; readonly productRefs: readonly ProductRef[] },
): boolean {
  if (a.contentRef.contentId === b.contentRef.contentId) return true;
  return a.productRefs.some((product) => b.productRefs.some(({ productId }) => productId === product.productId));
}

type Initiate = Extract<ShareCommand, { type: 'InitiateShare' }>;

type Place = Pick<Act, 'parentShareId' | 'parentEvidence' | 'rootShareId' | 'depth' | 'explicit'>;

function below(parent: ParentShare, parentEvidence: Exclude<Act['parentEvidence'], 'none'>, shareId: string): Place {
  const deeper = (depth: number) => Math.min(depth + 1, shareDepthMax);
  const { rootShareId, explicit } = parent;
  const place = { parentShareId: parent.shareId, parentEvidence, rootShareId, depth: deeper(parent.depth) };
  if (parentEvidence !== 'explicit') return { ...place, explicit: { rootShareId: shareId, depth: 0 } };
  return explicit ? { ...place, explicit: { ...explicit, depth: deeper(explicit.depth) } } : place;
}

/**
 * S3. The parent is read from its own stream; a share is never taken back, so there is no race. No cycle is possible: the
 * parent exists before its child does. A parent that the app names must be one. Where it names none, the share that the
 * sharer opened last is taken for it, if it may be; a client's word for `session` or `window` is no evidence.
 */
function place({ data, now }: Initiate): Place {
  const { shareId, parentShareId, parent, opened } = data;
  const isLater = ({ initiatedAt }: ParentShare) => toMs(initiatedAt) > toMs(now);
  if (parentShareId === undefined) {
    const isParent = opened && sameSubject(opened.share, data) && !isLater(opened.share);
    if (isParent) return below(opened.share, opened.evidence, shareId);
    return { rootShareId: shareId, depth: 0, parentEvidence: 'none' };
  }
  if (parent?.shareId !== parentShareId || parentShareId === shareId) {
    throw new Rejection('parent-share-not-found', 'the share that this one hands on does not exist');
  }
  if (!sameSubject(parent, data)) {
    throw new Rejection('parent-share-differs', 'the share that this one hands on is of other content');
  }
  if (isLater(parent)) {
    throw new Rejection('parent-share-later', 'the share that this one hands on was made after it');
  }
  return below(parent, 'explicit', shareId);
}

/**
 * M2. Moment, friendship and block are read and not locked. Worst case: a share that crosses the end of one of them is
 * recorded; what is shown of it is judged again at every read.
 */
function mayHandOn(sharerId: string, moment: SourceMoment | undefined, destination?: InApp['destination']): void {
  const isOwn = moment?.authorId === sharerId;
  const isVisible =
    isOwn || (moment && !moment.blockedEitherWay && (moment.audience === 'public' || moment.areFriends));
  if (!moment || moment.deleted || !isVisible) throw new Rejection('moment-not-found', 'no such moment');
  if (isOwn) return;
  if (!moment.allowReshare) throw new Rejection('reshare-not-allowed', 'its author does not want it shared on');
  if (destination === 'feed_repost' && moment.audience !== 'public') {
    throw new Rejection('reshare-not-allowed', 'a repost would show it to more people than its author did');
  }
}

function initiated(command: Initiate): Initiated {
  const { shareId, sharerId, contentRef, productRefs, surface, sourceMomentId, moment } = command.data;
  if (sourceMomentId !== undefined) {
    mayHandOn(sharerId, moment);
    if (moment?.contentId !== contentRef.contentId) {
      throw new Rejection('share-mismatch', 'the moment shows other content than the share');
    }
  }
  const { sessionId, viewId, feedRequestId, position, suggestedTargets } = command.data;
  const seen = { surface, sourceMomentId, sessionId, viewId, feedRequestId, position, suggestedTargets };
  return { shareId, sharerId, contentRef, productRefs, ...seen, ...place(command) };
}

function completion(
  share: InitiatedShare,
  now: string,
  { timeToShareMs, completionKnown }: { timeToShareMs?: number | undefined; completionKnown: boolean },
): Act & Pick<Completed, 'timeToShareMs' | 'completionKnown' | 'lateCompletion'> {
  return {
    ...share.act,
    timeToShareMs: timeToShareMs ?? Math.max(0, toMs(now) - toMs(share.initiatedAt)),
    completionKnown,
    lateCompletion: share.terminal?.kind === 'abandoned',
  };
}

type CompleteInApp = Extract<ShareCommand, { type: 'CompleteShareInApp' }>;

function completeInApp({ data, now }: CompleteInApp, share: InitiatedShare): readonly ShareEvent[] {
  const { destination, channelEvidence, conversationIds, memberIds, messageIds, momentId } = data;
  const { terminal } = share;
  if (terminal?.kind === 'off_platform') throw alreadyCompleted();
  if (terminal?.kind === 'in_app') {
    if (terminal.destination !== destination) throw alreadyCompleted();
    return [];
  }
  if (share.act.sourceMomentId !== undefined) mayHandOn(data.sharerId, data.moment, destination);
  const recipients = {
    conversationIds: [...conversationIds],
    memberIds: [...memberIds],
    count: new Set(memberIds).size,
  };
  return [
    {
      type: 'ShareCompleted',
      data: {
        ...completion(share, now, { timeToShareMs: data.timeToShareMs, completionKnown: true }),
        destinationClass: 'in_app',
        destination,
        channelEvidence,
        recipients,
        messageIds: [...messageIds],
        momentId,
      },
    },
  ];
}

function reclassified(shareId: string, known: Channel, hint: Channel): readonly ShareEvent[] {
  const data = { shareId, from: known.destination, to: hint.destination, evidence: hint.channelEvidence };
  return [{ type: 'ShareChannelReclassified', data }];
}

type CompleteOffPlatform = Extract<ShareCommand, { type: 'CompleteShareOffPlatform' }>;

function completeOffPlatform({ data, now }: CompleteOffPlatform, share: InitiatedShare): readonly ShareEvent[] {
  const { shareId, destination, channelEvidence, linkId } = data;
  const { terminal } = share;
  if (terminal?.kind === 'in_app') throw alreadyCompleted();
  if (terminal?.kind === 'off_platform') {
    if (terminal.channel.destination === destination) return [];
    if (!tellsMore({ destination, channelEvidence }, terminal.channel)) throw alreadyCompleted();
    return reclassified(shareId, terminal.channel, { destination, channelEvidence });
  }
  const toldNothing = destination === 'system_share_sheet' && channelEvidence === 'unknown';
  const completionKnown = data.completionKnown ?? !toldNothing;
  return [
    {
      type: 'ShareCompleted',
      data: {
        ...completion(share, now, { timeToShareMs: data.timeToShareMs, completionKnown }),
        destinationClass: 'off_platform',
        destination,
        channelEvidence,
        linkId,
      },
    },
  ];
}

export const shareDecider: Decider<ShareCommand, ShareEvent, ShareState> = {
  category: 'share',
  initialState: undefined,
  decide: {
    InitiateShare: (command, state) => {
      const { sharerId, contentRef } = command.data;
      if (!state) return [{ type: 'ShareInitiated', data: initiated(command) }];
      if (state.act.sharerId !== sharerId || state.act.contentRef.contentId !== contentRef.contentId) {
        throw new Rejection('share-exists', 'this id is taken');
      }
      return [];
    },
    CompleteShareInApp: (command, state) => completeInApp(command, ownShare(state, command.data.sharerId)),
    CompleteShareOffPlatform: (command, state) => completeOffPlatform(command, ownShare(state, command.data.sharerId)),
    CancelShare: ({ data }, state) => {
      const share = ownShare(state, data.sharerId);
      if (share.terminal?.kind === 'abandoned') return [];
      if (share.terminal) throw alreadyCompleted();
      return [{ type: 'ShareAbandoned', data: { ...share.act, stage: data.stage, by: 'sharer' } }];
    },
    /** A hint, not a wish: what tells nothing new changes nothing. */
    ReclassifyShare: ({ data }, state) => {
      if (state?.terminal?.kind !== 'off_platform') return [];
      const { channel } = state.terminal;
      return tellsMore(data, channel) ? reclassified(data.shareId, channel, data) : [];
    },
  },
  evolve: {
    ShareInitiated: (_, { data: { suggestedTargets: _shown, ...act } }, { occurredAt }) => ({
      act,
      initiatedAt: occurredAt,
    }),
    ShareCompleted: (state, { data }) => {
      if (!state) return state;
      if (data.destinationClass === 'off_platform') {
        const { destination, channelEvidence } = data;
        return { ...state, terminal: { kind: 'off_platform', channel: { destination, channelEvidence } } };
      }
      const { destination, recipients, messageIds, momentId } = data;
      return { ...state, terminal: { kind: 'in_app', destination, recipients, messageIds, momentId } };
    },
    ShareAbandoned: (state) => state && { ...state, terminal: { kind: 'abandoned' } },
    ShareChannelReclassified: (state, { data }) =>
      state && {
        ...state,
        terminal: { kind: 'off_platform', channel: { destination: data.to, channelEvidence: data.evidence } },
      },
  },
  due: (state, now) => {
    if (!state || state.terminal) return [];
    const dueAt = addMs(state.initiatedAt, shareAbandonedAfterMs);
    if (toMs(now) < toMs(dueAt)) return [];
    return [{ type: 'ShareAbandoned', data: { ...state.act, stage: 'sheet', by: 'timer' }, occurredAt: dueAt }];
  },
};
