// Where shares went and what came back: shares, links, opens, and the views they are measured against.

import type { MomentEvent } from '../src/domain/moment/moment.events.js';
import type { ObservationEvent } from '../src/domain/observation/observation.events.js';
import type { ShareEvent } from '../src/domain/share/share.events.js';
import type { SharelinkEvent } from '../src/domain/sharelink/sharelink.events.js';
import type { ContentRef } from '../src/domain/vocabulary.js';
import type { DataOf, FactFields, FactHandler } from './fact-row.js';

function content(ref: ContentRef): FactFields {
  return {
    content_id: ref.contentId,
    content_kind: ref.kind,
    content_category: ref.category,
    creator_id: ref.creatorId,
  };
}

function act(data: DataOf<ShareEvent, 'ShareInitiated' | 'ShareCompleted' | 'ShareAbandoned'>): FactFields {
  return {
    member_id: data.sharerId,
    sharer_id: data.sharerId,
    share_id: data.shareId,
    parent_share_id: data.parentShareId,
    root_share_id: data.rootShareId,
    parent_evidence: data.parentEvidence,
    depth: data.depth,
    explicit_root_id: data.explicit?.rootShareId ?? data.rootShareId,
    explicit_depth: data.explicit?.depth ?? data.depth,
    surface: data.surface,
    session_id: data.sessionId,
    ...content(data.contentRef),
  };
}

/** Of the flags of an open, the first that keeps it from counting; `human` is what ClickBackCounted is made of. */
function openKind(data: DataOf<SharelinkEvent, 'ShareLinkOpened'>): string {
  if (data.isPreviewBot) return 'preview_bot';
  if (data.isPrefetch) return 'prefetch';
  if (data.isSelfOpen) return 'self';
  return data.isRepeat ? 'repeat' : 'human';
}

function opened(data: DataOf<SharelinkEvent, 'ShareLinkOpened' | 'ClickBackCounted'>): FactFields {
  return {
    member_id: data.openerMemberId,
    sharer_id: data.sharerId,
    share_id: data.shareId,
    link_id: data.linkId,
    open_id: data.openId,
    visitor_key: data.visitorKey,
    opener_status: data.openerStatus,
    ...content(data.contentRef),
  };
}

export const sharingFacts: Readonly<Record<string, FactHandler>> = {
  ShareInitiated: (event) => [act(event.data as DataOf<ShareEvent, 'ShareInitiated'>)],
  ShareCompleted: (event) => {
    const data = event.data as DataOf<ShareEvent, 'ShareCompleted'>;
    return [
      {
        ...act(data),
        destination_class: data.destinationClass,
        destination: data.destination,
        channel_evidence: data.channelEvidence,
        completion_known: data.completionKnown,
        duration_ms: data.timeToShareMs,
        ...(data.destinationClass === 'in_app'
          ? { recipients: data.recipients.count, recipient_ids: data.recipients.memberIds }
          : { link_id: data.linkId }),
      },
    ];
  },
  ShareAbandoned: (event) => {
    const data = event.data as DataOf<ShareEvent, 'ShareAbandoned'>;
    return [{ ...act(data), stage: data.stage }];
  },
  ShareChannelReclassified: (event) => {
    const data = event.data as DataOf<ShareEvent, 'ShareChannelReclassified'>;
    return [
      {
        share_id: data.shareId,
        destination_class: 'off_platform',
        destination: data.to,
        channel_evidence: data.evidence,
      },
    ];
  },
  ShareLinkMinted: (event) => {
    const data = event.data as DataOf<SharelinkEvent, 'ShareLinkMinted'>;
    return [
      {
        member_id: data.sharerId,
        sharer_id: data.sharerId,
        share_id: data.shareId,
        link_id: data.linkId,
        destination_class: 'off_platform',
        destination: data.destinationHint,
        ...content(data.contentRef),
      },
    ];
  },
  ShareLinkRevoked: (event) => {
    const data = event.data as DataOf<SharelinkEvent, 'ShareLinkRevoked'>;
    return [{ share_id: data.shareId, link_id: data.linkId }];
  },
  ShareLinkOpened: (event) => {
    const data = event.data as DataOf<SharelinkEvent, 'ShareLinkOpened'>;
    return [{ ...opened(data), open_kind: openKind(data), referrer_class: data.referrerClass }];
  },
  ClickBackCounted: (event) => {
    const data = event.data as DataOf<SharelinkEvent, 'ClickBackCounted'>;
    return [{ ...opened(data), destination_class: 'off_platform', destination: data.destinationHint }];
  },
  ContentViewed: (event) => {
    const data = event.data as DataOf<ObservationEvent, 'ContentViewed'>;
    return [
      {
        member_id: data.memberId,
        anon_id: data.anonId,
        surface: data.surface,
        session_id: data.sessionId,
        share_id: data.viaShareId,
        duration_ms: data.dwellMs,
        ...content(data.contentRef),
      },
    ];
  },
  MomentPublished: (event) => {
    const data = event.data as DataOf<MomentEvent, 'MomentPublished'>;
    return [{ member_id: data.authorId, share_id: data.shareId, ...content(data.contentRef) }];
  },
  MomentReacted: (event) => {
    const data = event.data as DataOf<MomentEvent, 'MomentReacted'>;
    return [{ member_id: data.memberId, content_id: data.momentId, creator_id: data.authorId }];
  },
  MomentSeen: (event) => {
    const data = event.data as DataOf<ObservationEvent, 'MomentSeen'>;
    return [
      { member_id: data.viewerId, content_id: data.momentId, creator_id: data.authorId, duration_ms: data.dwellMs },
    ];
  },
};
