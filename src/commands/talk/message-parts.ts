// What one message asks of the log: the thread it goes into, and the shares that its cards deliver. One commit: a
// message with a card whose share is not there would be a fact without its cause. Completing a share uses this too.
import { Injectable } from '@nestjs/common';
import { conversationDecider, type StartedConversation } from '../../domain/conversation/conversation.decider.js';
import type { ShareCommand } from '../../domain/share/share.commands.js';
import { shareDecider } from '../../domain/share/share.decider.js';
import { productRefsMax } from '../../domain/share/share.events.js';
import type { Sender } from '../../domain/thread/thread.commands.js';
import { threadDecider } from '../../domain/thread/thread.decider.js';
import type { Attachment } from '../../domain/thread/thread.events.js';
import type { ContentRef, ProductRef } from '../../domain/vocabulary.js';
import { EventStore } from '../../event-log/transact.js';
import { deriveId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import type { IdentifiedContext } from '../command-context.js';
import { Lookups, type Pair } from '../lookups.js';
import { ShareOpens } from '../sharing/share-opens.js';

/** A card as a client names it; price, availability and content are the server's to fill in. */
export type CardWish =
  | {
      readonly kind: 'product_card';
      readonly productRef: ProductRef;
      readonly cardId?: string | undefined;
      readonly touchId?: string | undefined;
    }
  | { readonly kind: 'share_card'; readonly shareId?: string | undefined; readonly contentRef: ContentRef };

export interface MessageWish {
  readonly messageId?: string | undefined;
  readonly body?: string | undefined;
  readonly lang?: string | undefined;
  readonly mentions?: readonly string[] | undefined;
  readonly attachments: readonly CardWish[];
  readonly replyTo?: { readonly messageId: string; readonly seq: number } | undefined;
}

/** A message on its way with the share that it delivers; at least one card is in it. */
export interface Delivering {
  readonly shareId: string;
  readonly messageId: string;
  readonly attachments: readonly Attachment[];
  readonly sessionId?: string | undefined;
}

@Injectable()
export class MessageParts {
  constructor(
    private readonly store: EventStore,
    private readonly lookups: Lookups,
    private readonly opens: ShareOpens,
  ) {}

  /** The part of the thread: a message with its cards filled in, ready to be decided. */
  async threadPart(
    context: IdentifiedContext,
    conversationId: string,
    sender: Sender,
    message: {
      readonly messageId: string;
      readonly body?: string | undefined;
      readonly lang?: string | undefined;
      readonly mentions?: readonly string[] | undefined;
      readonly attachments: readonly Attachment[];
      readonly replyTo?: MessageWish['replyTo'];
      readonly shareId?: string | undefined;
    },
  ) {
    const conversation = await this.lookups.conversation(conversationId);
    const { blockedEitherWay, areFriends } = await this.pairOf(conversation);
    const data = { ...message, conversationId, conversation, sender, blockedEitherWay, areFriends };
    const command = { type: 'SendMessage', data, now: context.occurredAt } as const;
    return { decider: threadDecider, id: conversationId, commands: [command], context };
  }

  /** What this message makes of a stranger's request: an answer accepts it, and so does having become friends. */
  async acceptancePart(context: IdentifiedContext, conversationId: string, sender: Sender) {
    const conversation = await this.lookups.conversation(conversationId);
    const memberId = conversation?.request?.to;
    if (memberId === undefined || sender.kind !== 'member') return undefined;
    const { areFriends, blockedEitherWay } = await this.pairOf(conversation);
    const answers = sender.memberId === memberId;
    if (blockedEitherWay || !(answers || areFriends)) return undefined;
    const data = { conversationId, memberId, by: answers ? 'answer' : 'friendship' } as const;
    const command = { type: 'AcceptConversationRequest', data, now: context.occurredAt } as const;
    return { decider: conversationDecider, id: conversationId, commands: [command], context };
  }

  /** The share that a member's message delivers: the one its share card names, or one made for its cards (1.12). */
  async sharePart(
    context: IdentifiedContext,
    conversationId: string,
    sharerId: string,
    { shareId, attachments, messageId, sessionId }: Delivering,
    wasNamed: boolean,
  ) {
    const now = context.occurredAt;
    const conversation = await this.lookups.conversation(conversationId);
    const complete = completion(shareId, sharerId, conversationId, conversation, messageId, now);
    const subject = subjectOf(attachments);
    if (wasNamed) {
      const { state } = await this.store.state(shareDecider, shareId);
      if (state && state.act.contentRef.contentId !== subject.contentRef.contentId) {
        throw new Rejection('share-mismatch', 'the card shows other content than its share');
      }
      return { decider: shareDecider, id: shareId, commands: [complete], context };
    }
    const { contentId } = subject.contentRef;
    const opened = await this.opens.leadingTo({ sharerId, contentId, sessionId }, context);
    const data = { shareId, sharerId, ...subject, surface: 'conversation', sessionId, opened } as const;
    const initiate: ShareCommand = { type: 'InitiateShare', data, now };
    return { decider: shareDecider, id: shareId, commands: [initiate, complete], context };
  }

  /** Product cards with the price and availability of this moment. @throws Rejection product-not-found */
  async filledCards(cards: readonly CardWish[], shareId: string | undefined, messageId: string): Promise<Attachment[]> {
    return Promise.all(cards.map((card, index) => this.filled(card, shareId, messageId, index)));
  }

  private async filled(card: CardWish, shareId: string | undefined, messageId: string, index: number) {
    if (card.kind === 'share_card') {
      if (shareId === undefined) throw new Rejection('share-mismatch', 'a brand sends product cards, not shares');
      return { kind: 'share_card', shareId, contentRef: card.contentRef } as const;
    }
    const { productId, brandId } = card.productRef;
    const product = await this.lookups.product(productId);
    if (product?.productRef.brandId !== brandId) throw new Rejection('product-not-found', 'no such product');
    return {
      kind: 'product_card',
      cardId: card.cardId ?? deriveId('card', messageId, String(index)),
      // The variant is the sender's choice; brand and category are the catalogue's.
      productRef: { ...product.productRef, ...card.productRef },
      priceSnapshot: product.price,
      availabilitySnapshot: product.available,
      touchId: card.touchId ?? deriveId('touch', messageId, String(index)),
    } as const;
  }

  private async pairOf(conversation: StartedConversation | undefined): Promise<Omit<Pair, 'friendship'>> {
    const [a, b] = conversation?.memberIds ?? [];
    if (conversation?.kind !== 'direct' || a === undefined || b === undefined) {
      return { blockedEitherWay: false, areFriends: false };
    }
    return this.lookups.pair(a, b);
  }
}

/**
 * What a share made for cards is of: the content of the share card, or else the first product; and the first ten
 * products that the cards show.
 */
function subjectOf(cards: readonly Attachment[]): { contentRef: ContentRef; productRefs: ProductRef[] } {
  const products = cards.flatMap((card) => (card.kind === 'product_card' ? [card.productRef] : []));
  const byId = new Map(products.map((product) => [product.productId, product]));
  const productRefs = [...byId.values()].slice(0, productRefsMax);
  const shown = cards.find((card) => card.kind === 'share_card');
  if (shown) return { contentRef: shown.contentRef, productRefs };
  const [first] = productRefs;
  if (!first) throw new RangeError('a message without a card delivers no share');
  const { productId: contentId, brandId: creatorId, category } = first;
  return { contentRef: { kind: 'product', contentId, creatorId, category }, productRefs };
}

function completion(
  shareId: string,
  sharerId: string,
  conversationId: string,
  conversation: StartedConversation | undefined,
  messageId: string,
  now: string,
): ShareCommand {
  const isBrand = conversation?.kind === 'brand';
  return {
    type: 'CompleteShareInApp',
    data: {
      shareId,
      sharerId,
      destination: isBrand ? 'brand_conversation' : 'dm',
      channelEvidence: 'declared',
      conversationIds: [conversationId],
      memberIds: isBrand ? [] : (conversation?.memberIds ?? []).filter((memberId) => memberId !== sharerId),
      messageIds: [messageId],
    },
    now,
  };
}
