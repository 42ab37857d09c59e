// What may be asked of an order's stream, `order-<orderId>`. The sums are the decider's.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { OrderEvent } from './order.events.js';

type Purchase = DataOf<OrderEvent, 'PurchaseCompleted'>;
type Refund = DataOf<OrderEvent, 'PurchaseRefunded'>;

export type OrderCommand = CommandOf<{
  PlaceOrder: Omit<Purchase, 'subtotalMinor' | 'discountMinor' | 'taxMinor' | 'totalMinor'>;
  RefundOrder: Pick<Refund, 'refundId' | 'orderId' | 'items' | 'shippingMinor' | 'reporting' | 'reason'> & {
    /** When given it must be the order's. */
    readonly currency?: string | undefined;
  };
}>;
