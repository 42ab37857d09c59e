// Brands and the mirror of their products.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { BrandCommand } from '../../domain/brand/brand.commands.js';
import { brandDecider } from '../../domain/brand/brand.decider.js';
import type { ProductCommand } from '../../domain/product/product.commands.js';
import { productDecider } from '../../domain/product/product.decider.js';
import { EventStore } from '../../event-log/transact.js';
import { allows } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts } from '../command-context.js';
import { Lookups } from '../lookups.js';

type Registration = Extract<BrandCommand, { type: 'RegisterBrand' }>['data'];
type Facts = Extract<ProductCommand, { type: 'ChangeProduct' }>['data'];

export type CatalogueWish =
  | {
      readonly type: 'register-brand';
      readonly brand: Omit<Registration, 'brandId'> & { brandId?: string | undefined };
    }
  | { readonly type: 'list-product' | 'change-product'; readonly product: Facts };

export class CatalogueRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: CatalogueWish,
  ) {
    super();
  }
}

@CommandHandler(CatalogueRequest)
export class CatalogueHandler implements ICommandHandler<CatalogueRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
  ) {}

  async execute({ caller, wish }: CatalogueRequest): Promise<Written> {
    return wish.type === 'register-brand'
      ? this.registerBrand(caller, wish.brand)
      : this.writeProduct(caller, wish.type, wish.product);
  }

  private async registerBrand(
    caller: Caller,
    brand: Omit<Registration, 'brandId'> & { brandId?: string | undefined },
  ): Promise<Written> {
    const context = this.contexts.byKey(caller);
    const brandId = brand.brandId ?? deriveId('brand', context.commandId);
    const command: BrandCommand = { type: 'RegisterBrand', data: { ...brand, brandId }, now: caller.now };
    const part = { decider: brandDecider, id: brandId, commands: [command], context };
    const { position } = await this.store.transact(part);
    return { result: { brandId }, position };
  }

  private async writeProduct(
    caller: Caller,
    type: 'list-product' | 'change-product',
    product: Facts,
  ): Promise<Written> {
    const { productId, brandId } = product.productRef;
    if (!allows(caller.key?.scopes ?? [], ['app', 'admin', 'brand'], brandId)) {
      throw new Problem('missing-scope', 'this key speaks for another brand');
    }
    const { now } = caller;
    const command: ProductCommand =
      type === 'change-product'
        ? { type: 'ChangeProduct', data: product, now }
        : {
            type: 'ListProduct',
            data: { ...product, brandRegistered: await this.lookups.isBrandRegistered(brandId) },
            now,
          };
    const { position, revision } = await this.store.transact({
      decider: productDecider,
      id: productId,
      commands: [command],
      context: this.contexts.byKey(caller),
      ...(caller.ifRevision === undefined ? {} : { ifRevision: caller.ifRevision }),
    });
    return { result: { productId, revision }, position };
  }
}
