// A purchase closes the intents of all that it holds, in the same commit; a refund gives some of it back.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { IntentCommand } from '../../domain/intent/intent.commands.js';
import type { IntentDecider } from '../../domain/intent/intent.decider.js';
import { isExpired } from '../../domain/intent/journey.js';
import { orderDecider } from '../../domain/order/order.decider.js';
import type { ProductRef } from '../../domain/vocabulary.js';
import { EventStore } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { INTENT_DECIDER, intentStream, newestPosition } from './intent.handler.js';
import { ProductRefs } from './product-refs.js';
import type { NewOrder, NewRefund } from './shopping.bodies.js';

export type OrderWish =
  | { readonly type: 'place'; readonly order: z.infer<typeof NewOrder> }
  | { readonly type: 'refund'; readonly orderId: string; readonly refund: z.infer<typeof NewRefund> };

export class OrderRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: OrderWish,
  ) {
    super();
  }
}

/** The client's word; else by the shop's own number, whoever reports it (P2); else one order per command. */
function orderIdOf({ orderId, externalOrderId, brandId }: z.infer<typeof NewOrder>, { commandId }: IdentifiedContext) {
  if (orderId !== undefined) return orderId;
  return externalOrderId === undefined ? deriveId('order', commandId) : deriveId('order', brandId, externalOrderId);
}

@CommandHandler(OrderRequest)
export class OrderHandler implements ICommandHandler<OrderRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly products: ProductRefs,
    @Inject(INTENT_DECIDER) private readonly intentDecider: IntentDecider,
  ) {}

  async execute({ caller, wish }: OrderRequest): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    if (wish.type === 'refund') return this.refund(wish.orderId, wish.refund, member.memberId, context);
    const { order } = wish;
    return this.place({ ...order, sessionId: order.sessionId ?? caller.sessionId }, member.memberId, context);
  }

  private async place(order: z.infer<typeof NewOrder>, memberId: string, context: IdentifiedContext): Promise<Written> {
    const orderId = orderIdOf(order, context);
    const checked = await this.products.allChecked(order.items);
    const items = await Promise.all(
      checked.map(async (item) => ({
        ...item,
        intentId: await this.openIntent(memberId, item.productRef, context.occurredAt),
      })),
    );
    const now = context.occurredAt;
    const placing = { type: 'PlaceOrder', data: { ...order, items, orderId, memberId }, now } as const;
    const orderPart = { decider: orderDecider, id: orderId, commands: [placing], context };
    const refs = new Map(checked.map(({ productRef }) => [productRef.productId, productRef]));
    const closing = [...refs.values()].map((productRef) => {
      const command: IntentCommand = { type: 'CloseIntent', data: { memberId, productRef, orderId }, now };
      const id = intentStream(memberId, productRef.productId);
      return { decider: this.intentDecider, id, commands: [command], context };
    });
    const parts = [orderPart, ...closing] as [typeof orderPart, ...typeof closing];
    const done = await this.store.transactMany(parts);
    const { state } = await this.store.state(orderDecider, orderId);
    return { result: { orderId, totalMinor: state?.purchase.totalMinor }, position: newestPosition(done) };
  }

  /**
   * The journey that this purchase ends. Read, not locked: a journey that begins at the same moment is closed and not
   * named by the order's item.
   */
  private async openIntent(memberId: string, { productId }: ProductRef, now: string): Promise<string | undefined> {
    const { state } = await this.store.state(this.intentDecider, intentStream(memberId, productId));
    return state.journey && !isExpired(state.journey, now) ? state.journey.intentId : undefined;
  }

  /** To everybody but the buyer the order is not there. */
  private async refund(
    orderId: string,
    { refundId, ...refund }: z.infer<typeof NewRefund>,
    memberId: string,
    context: IdentifiedContext,
  ): Promise<Written> {
    const { state } = await this.store.state(orderDecider, orderId);
    if (state?.purchase.memberId !== memberId) throw new Rejection('order-not-found', 'no such order');
    const id = refundId ?? deriveId('refund', context.commandId);
    const data = { ...refund, refundId: id, orderId };
    const { events, position } = await this.store.transact({
      decider: orderDecider,
      id: orderId,
      commands: [{ type: 'RefundOrder', data, now: context.occurredAt }],
      context,
    });
    const refunded = events.find((event) => event.type === 'PurchaseRefunded');
    return { result: { orderId, refundId: id, amountMinor: refunded?.data.amountMinor }, position };
  }
}
