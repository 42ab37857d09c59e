// What may be asked of a link's stream, `sharelink-<linkId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { SharelinkEvent } from './sharelink.events.js';

type Minted = DataOf<SharelinkEvent, 'ShareLinkMinted'>;
type Opened = DataOf<SharelinkEvent, 'ShareLinkOpened'>;

export type SharelinkCommand = CommandOf<{
  /** The linkId derives from the share: a second mint finds the first. Content and sharer are the share's own. */
  MintShareLink: Minted & { readonly askedBy: string };
  RevokeShareLink: { readonly linkId: string; readonly askedBy: string };
  OpenShareLink: Pick<
    Opened,
    | 'openId'
    | 'linkId'
    | 'visitorKey'
    | 'openerMemberId'
    | 'openerStatus'
    | 'isPreviewBot'
    | 'isPrefetch'
    | 'referrerClass'
    | 'uaFamily'
    | 'osFamily'
    | 'inAppBrowser'
    | 'country'
    | 'opensApp'
    /** Look-up in the pair of sharer and opener, when the opener is known. */
    | 'wereFriendsAtShare'
  >;
}>;
