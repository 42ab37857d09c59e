// What may be asked of a member's opens of one content, `shareopen-<memberId>_<contentId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { ContentRef } from '../vocabulary.js';
import type { ShareopenEvent } from './shareopen.events.js';

export type ShareopenCommand = CommandOf<{
  /** `now` is when it was opened, which may be days ago. */
  RecordShareOpen: DataOf<ShareopenEvent, 'ShareOpened'> & {
    /** Look-up for `shareId`; absent: no such share. */
    readonly share: { readonly sharerId: string; readonly contentRef: ContentRef } | undefined;
  };
}>;
