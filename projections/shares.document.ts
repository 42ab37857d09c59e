// What a sharer sees of an own share: where it went, what its link brought back, who passed it on. Owner: the sharer.
import type { z } from 'zod';
import type { shareEvents } from '../src/domain/share/share.events.js';
import type { sharelinkEvents } from '../src/domain/sharelink/sharelink.events.js';
import type { threadEvents } from '../src/domain/thread/thread.events.js';
import type { AnyEvent, DocumentProjection, DocumentView, ReadSpec } from '../src/kernel/projection.js';

type Share = { [Type in keyof typeof shareEvents]: z.infer<(typeof shareEvents)[Type]> };
type Link = { [Type in keyof typeof sharelinkEvents]: z.infer<(typeof sharelinkEvents)[Type]> };
type Sent = z.infer<(typeof threadEvents)['MessageSent']>;

export interface ShareDocument {
  readonly shareId: string;
  readonly sharerId: string;
  readonly contentRef: Share['ShareInitiated']['contentRef'];
  readonly productRefs: Share['ShareInitiated']['productRefs'];
  readonly surface: string;
  readonly parentShareId?: string | undefined;
  readonly parentEvidence: Share['ShareInitiated']['parentEvidence'];
  readonly rootShareId: string;
  readonly depth: number;
  /** Root and depth by named parents alone, where an inferred one is on the way to the root. */
  readonly explicit?: Share['ShareInitiated']['explicit'];
  readonly state: 'initiated' | 'completed' | 'abandoned';
  readonly initiatedAt: string;
  readonly completedAt?: string;
  readonly destinationClass?: string;
  readonly destination?: string;
  readonly channelEvidence?: string;
  /** Where it was first taken to have gone, when a later hint told more. */
  readonly reclassifiedFrom?: string;
  /** People it was delivered to in the app. */
  readonly recipients?: number;
  readonly conversationIds?: readonly string[];
  readonly momentId?: string | undefined;
}

export interface LinkDocument {
  readonly linkId: string;
  readonly destinationHint: string;
  readonly mintedAt: string;
  readonly expiresAt?: string | undefined;
  readonly revoked: boolean;
  /** All opens, previews and own ones included. */
  readonly opens: number;
  /** First opens of a visitor who is no bot, no prefetch and not the sharer. */
  readonly visitors: number;
  readonly clickBacks: number;
  /** Of the link's stream: what is counted up to here. */
  readonly revision: number;
}

/** A completed share below another one. */
export interface Below {
  readonly depth: number;
  /** Whether named parents alone lead up from it to that one. */
  readonly explicit: boolean;
}

/** Talk-back in one conversation: messages that answer this share. */
export interface Answers {
  readonly seq: number;
  readonly count: number;
}

export const shareKeys = {
  share: (shareId: string) => `share:${shareId}`,
  link: (shareId: string) => `link:${shareId}`,
  /** Hashes of completed shares: share id → Below. Passed on from this one; anywhere below a root. */
  children: (shareId: string) => `children:${shareId}`,
  descendants: (rootShareId: string) => `descendants:${rootShareId}`,
  /** A hash: conversation → Answers. */
  answers: (shareId: string) => `answers:${shareId}`,
};

function readShare(event: AnyEvent): readonly ReadSpec[] {
  return [{ doc: shareKeys.share((event.data as Share['ShareChannelReclassified']).shareId) }];
}

/** The share as it is before this event, made when the event is the first that is seen of it. */
function shareOf(event: AnyEvent, view: DocumentView): ShareDocument {
  const { shareId, sharerId, contentRef, productRefs, surface, ...chain } = event.data as Share['ShareInitiated'];
  const { parentShareId, parentEvidence, rootShareId, depth, explicit } = chain;
  const known = view.get<ShareDocument>(shareKeys.share(shareId));
  const initiatedAt = event.metadata.occurredAt;
  const act = { shareId, sharerId, contentRef, productRefs, surface };
  const place = { parentShareId, parentEvidence, rootShareId, depth, explicit };
  return known ?? { ...act, ...place, state: 'initiated', initiatedAt };
}

function readLink(event: AnyEvent): readonly ReadSpec[] {
  return [{ doc: shareKeys.link((event.data as Link['ShareLinkOpened']).shareId) }];
}

/** Changes the link's document unless it has this event already. */
function changeLink(event: AnyEvent, view: DocumentView, next: (link: LinkDocument) => Partial<LinkDocument>): void {
  const { shareId } = event.data as Link['ShareLinkOpened'];
  const link = view.get<LinkDocument>(shareKeys.link(shareId));
  if (!link || event.revision <= link.revision) return;
  view.put(shareKeys.link(shareId), { ...link, ...next(link), revision: event.revision });
}

function routingKeys(event: AnyEvent): readonly string[] {
  if (event.type === 'MessageSent') return [];
  const { shareId, parentShareId, rootShareId } = event.data as Share['ShareCompleted'];
  const ids = [shareId, parentShareId, rootShareId].filter((id) => id !== undefined);
  return [...new Set(ids)].map((id) => `share-${id}`);
}

export const shares: DocumentProjection = {
  name: 'shares',
  version: 2,
  routingKeys,
  on: {
    ShareInitiated: {
      reads: readShare,
      apply(event, view) {
        const share = shareOf(event, view);
        if (view.owns(share.sharerId)) view.put(shareKeys.share(share.shareId), share);
      },
    },
    ShareCompleted: {
      reads: readShare,
      apply(event, view) {
        const data = event.data as Share['ShareCompleted'];
        const share = shareOf(event, view);
        complete(event, view, share, data);
        // Every shard keeps who passed a share on: which of them owns the passed share is not in this event.
        if (data.parentShareId !== undefined) {
          const { shareId, depth, explicit } = data;
          const child: Below = { depth, explicit: data.parentEvidence === 'explicit' };
          view.setField(shareKeys.children(data.parentShareId), shareId, child);
          // Where an inferred parent is on the way up, named ones alone end below the root.
          const descendant: Below = { depth, explicit: explicit === undefined };
          view.setField(shareKeys.descendants(data.rootShareId), shareId, descendant);
        }
      },
    },
    ShareAbandoned: {
      reads: readShare,
      apply(event, view) {
        const share = shareOf(event, view);
        if (!view.owns(share.sharerId) || share.state === 'completed') return;
        view.put(shareKeys.share(share.shareId), { ...share, state: 'abandoned' } satisfies ShareDocument);
      },
    },
    ShareChannelReclassified: {
      reads: readShare,
      apply(event, view) {
        const { shareId, from, to, evidence } = event.data as Share['ShareChannelReclassified'];
        const share = view.get<ShareDocument>(shareKeys.share(shareId));
        if (!share) return;
        const reclassifiedFrom = share.reclassifiedFrom ?? from;
        view.put(shareKeys.share(shareId), { ...share, destination: to, channelEvidence: evidence, reclassifiedFrom });
      },
    },
    ShareLinkMinted: {
      reads: readLink,
      apply(event, view) {
        const { shareId, sharerId, linkId, destinationHint, expiresAt } = event.data as Link['ShareLinkMinted'];
        if (!view.owns(sharerId) || view.get(shareKeys.link(shareId))) return;
        view.put(shareKeys.link(shareId), {
          linkId,
          destinationHint,
          mintedAt: event.metadata.occurredAt,
          expiresAt,
          revoked: false,
          opens: 0,
          visitors: 0,
          clickBacks: 0,
          revision: event.revision,
        } satisfies LinkDocument);
      },
    },
    ShareLinkRevoked: { reads: readLink, apply: (event, view) => changeLink(event, view, () => ({ revoked: true })) },
    ShareLinkOpened: {
      reads: readLink,
      apply(event, view) {
        const open = event.data as Link['ShareLinkOpened'];
        const first = open.firstForVisitor && !open.isPreviewBot && !open.isPrefetch && !open.isSelfOpen;
        changeLink(event, view, ({ opens, visitors }) => ({ opens: opens + 1, visitors: visitors + (first ? 1 : 0) }));
      },
    },
    ClickBackCounted: {
      reads: readLink,
      apply(event, view) {
        changeLink(event, view, ({ clickBacks }) => ({ clickBacks: clickBacks + 1 }));
        const { shareId, sharerId } = event.data as Link['ClickBackCounted'];
        if (view.owns(sharerId)) view.notify(sharerId, 'share', shareId);
      },
    },
    MessageSent: {
      reads(event) {
        const { answersShareId, conversationId } = event.data as Sent;
        return answersShareId === undefined ? [] : [{ hash: shareKeys.answers(answersShareId), field: conversationId }];
      },
      apply(event, view) {
        const { answersShareId, conversationId } = event.data as Sent;
        if (answersShareId === undefined) return;
        const key = shareKeys.answers(answersShareId);
        const known = view.field<Answers>(key, conversationId);
        if (known && known.seq >= event.revision) return;
        view.setField(key, conversationId, { seq: event.revision, count: (known?.count ?? 0) + 1 } satisfies Answers);
      },
    },
  },
};

function complete(event: AnyEvent, view: DocumentView, share: ShareDocument, data: Share['ShareCompleted']): void {
  if (!view.owns(share.sharerId)) return;
  const { destinationClass, destination, channelEvidence } = data;
  const inApp = data.destinationClass === 'in_app' ? data : undefined;
  view.put(shareKeys.share(share.shareId), {
    ...share,
    state: 'completed',
    completedAt: event.metadata.occurredAt,
    destinationClass,
    destination,
    channelEvidence,
    ...(inApp
      ? {
          recipients: inApp.recipients.count,
          conversationIds: inApp.recipients.conversationIds,
          momentId: inApp.momentId,
        }
      : {}),
  } satisfies ShareDocument);
  view.notify(share.sharerId, 'share', share.shareId);
}
