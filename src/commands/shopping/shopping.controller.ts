// Routes of the way to a purchase, and of what is given back.
import { Body, Controller, Delete, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Id } from '../../domain/vocabulary.js';
import { ByMember } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { IntentRequest, type IntentWish } from './intent.handler.js';
import { OrderRequest } from './order.handler.js';
import { CartItem, CartRemoval, NewCheckout, NewOrder, NewRefund, Question } from './shopping.bodies.js';

const ProductId = Param('productId', { schema: Id });

@ApiTags('shopping')
@Controller('v1')
@ByMember()
export class ShoppingController {
  constructor(private readonly commands: CommandBus) {}

  @Post('products/:productId/ask')
  @Writes(201, { intentId: Id, questionId: Id })
  ask(
    @By() caller: Caller,
    @ProductId productId: string,
    @Body({ schema: Question }) question: z.infer<typeof Question>,
  ): Promise<Written> {
    return this.send(caller, { type: 'ask', productId, question });
  }

  @Post('cart/items')
  @Writes(201, { intentId: Id, cartId: Id })
  add(@By() caller: Caller, @Body({ schema: CartItem }) item: z.infer<typeof CartItem>): Promise<Written> {
    return this.send(caller, { type: 'add', item });
  }

  /** What is not in the cart is not taken out: `removed` says how many were. */
  @Delete('cart/items/:productId')
  @Writes(200, { cartId: Id, removed: z.int() })
  remove(
    @By() caller: Caller,
    @ProductId productId: string,
    @Body({ schema: CartRemoval }) removal: z.infer<typeof CartRemoval>,
  ): Promise<Written> {
    return this.send(caller, { type: 'remove', productId, removal });
  }

  @Post('checkouts')
  @Writes(201, { checkoutId: Id, intents: z.array(z.object({ productId: Id, intentId: Id })) })
  checkOut(
    @By() caller: Caller,
    @Body({ schema: NewCheckout }) checkout: z.infer<typeof NewCheckout>,
  ): Promise<Written> {
    return this.send(caller, { type: 'check-out', checkout });
  }

  /** Known for ever by its id, or without one by the shop's own number: sent again, by whomever, it is the same order. */
  @Post('orders')
  @Writes(201, { orderId: Id, totalMinor: z.int() })
  place(@By() caller: Caller, @Body({ schema: NewOrder }) order: z.infer<typeof NewOrder>): Promise<Written> {
    return this.commands.execute(new OrderRequest(caller, { type: 'place', order }));
  }

  @Post('orders/:orderId/refunds')
  @Writes(201, { orderId: Id, refundId: Id, amountMinor: z.int().optional() })
  refund(
    @By() caller: Caller,
    @Param('orderId', { schema: Id }) orderId: string,
    @Body({ schema: NewRefund }) refund: z.infer<typeof NewRefund>,
  ): Promise<Written> {
    return this.commands.execute(new OrderRequest(caller, { type: 'refund', orderId, refund }));
  }

  private send(caller: Caller, wish: IntentWish): Promise<Written> {
    return this.commands.execute(new IntentRequest(caller, wish));
  }
}
