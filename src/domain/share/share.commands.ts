// What may be asked of a share's stream, `share-<shareId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { ContentRef, ProductRef } from '../vocabulary.js';
import type { ShareEvent } from './share.events.js';

type Initiated = DataOf<ShareEvent, 'ShareInitiated'>;
type Completed = DataOf<ShareEvent, 'ShareCompleted'>;
type InApp = Extract<Completed, { destinationClass: 'in_app' }>;
type OffPlatform = Extract<Completed, { destinationClass: 'off_platform' }>;

/** The share that this one hands on, as the command layer found it in its own stream. */
export interface ParentShare {
  readonly shareId: string;
  readonly contentRef: ContentRef;
  readonly productRefs: readonly ProductRef[];
  readonly rootShareId: string;
  readonly depth: number;
  readonly explicit?: Initiated['explicit'];
  readonly initiatedAt: string;
}

/** The share that the sharer opened last of the same content, and on which evidence it is taken for the one handed on. */
export interface OpenedShare {
  readonly share: ParentShare;
  readonly evidence: 'session' | 'window';
}

/** The moment that a share hands on, and how the sharer stands to its author. */
export interface SourceMoment {
  readonly authorId: string;
  readonly contentId: string;
  readonly audience: 'friends' | 'public';
  readonly allowReshare: boolean;
  readonly deleted: boolean;
  readonly areFriends: boolean;
  readonly blockedEitherWay: boolean;
}

export type ShareCommand = CommandOf<{
  InitiateShare: Omit<Initiated, 'rootShareId' | 'depth' | 'explicit' | 'parentEvidence'> & {
    /** Look-up for `parentShareId`; absent: no such share. */
    readonly parent?: ParentShare | undefined;
    /** Look-up in what the sharer opened, for a share whose app names no parent; absent: nothing that led there. */
    readonly opened?: OpenedShare | undefined;
    /** Look-up for `sourceMomentId`; absent: no such moment. */
    readonly moment?: SourceMoment | undefined;
  };
  CompleteShareInApp: {
    readonly shareId: string;
    readonly sharerId: string;
    readonly destination: InApp['destination'];
    readonly channelEvidence: InApp['channelEvidence'];
    readonly conversationIds: readonly string[];
    /** The people it was delivered to. */
    readonly memberIds: readonly string[];
    readonly messageIds: readonly string[];
    readonly momentId?: string | undefined;
    /** Look-up for the share's `sourceMomentId`, as it is now. */
    readonly moment?: SourceMoment | undefined;
    /** Default: from ShareInitiated to now. */
    readonly timeToShareMs?: number | undefined;
  };
  CompleteShareOffPlatform: {
    readonly shareId: string;
    readonly sharerId: string;
    readonly destination: OffPlatform['destination'];
    readonly channelEvidence: OffPlatform['channelEvidence'];
    readonly linkId?: string | undefined;
    /** Default: true, but for a system share sheet that told nothing. */
    readonly completionKnown?: boolean | undefined;
    readonly timeToShareMs?: number | undefined;
  };
  CancelShare: { readonly shareId: string; readonly sharerId: string; readonly stage: 'sheet' | 'target' };
  /** Somebody other than the sharer tells more of where it went (a preview crawler, an in-app browser). */
  ReclassifyShare: {
    readonly shareId: string;
    readonly destination: OffPlatform['destination'];
    readonly channelEvidence: OffPlatform['channelEvidence'];
  };
}>;
