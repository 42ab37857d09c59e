// A client's reference to a product, held against the catalogue: the brand must be the product's, the category is the
// catalogue's word, the variant is the client's choice. So no figure of a brand rests on somebody else's product.
import { Injectable } from '@nestjs/common';
import type { ProductRef } from '../../domain/vocabulary.js';
import { Rejection } from '../../kernel/rejection.js';
import { Lookups } from '../lookups.js';

@Injectable()
export class ProductRefs {
  constructor(private readonly lookups: Lookups) {}

  /** A product of any brand, by its id. @throws Rejection product-not-found */
  async byId(productId: string): Promise<ProductRef> {
    const product = await this.lookups.product(productId);
    if (!product) throw new Rejection('product-not-found', `no product ${productId}`);
    return product.productRef;
  }

  /** @throws Rejection product-not-found */
  async checked({ productId, variantId, brandId }: ProductRef): Promise<ProductRef> {
    const known = await this.byId(productId);
    if (known.brandId !== brandId) throw new Rejection('product-not-found', `${brandId} has no product ${productId}`);
    return variantId === undefined ? known : { ...known, variantId };
  }

  async allChecked<Item extends { readonly productRef: ProductRef }>(items: readonly Item[]): Promise<Item[]> {
    return Promise.all(items.map(async (item) => ({ ...item, productRef: await this.checked(item.productRef) })));
  }
}
