// Routes by which a deployment or a brand tells what is sold.
import { Body, Controller, Param, Post, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { brandEvents } from '../../domain/brand/brand.events.js';
import { productEvents } from '../../domain/product/product.events.js';
import { Id } from '../../domain/vocabulary.js';
import { Scopes } from '../../http/access/scopes.js';
import { invalid } from '../../http/problem/validation.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { CatalogueRequest, type CatalogueWish } from './catalogue.handler.js';

const NewBrand = brandEvents.BrandRegistered.extend({ brandId: Id.optional() }).meta({ id: 'NewBrand' });
const Product = productEvents.ProductListed.meta({ id: 'Product' });
const answer = { productId: Id, revision: z.int() };

@ApiTags('catalogue')
@Controller('v1')
export class CatalogueController {
  constructor(private readonly commands: CommandBus) {}

  @Post('brands')
  @Scopes('admin', 'import', 'app')
  @Writes(201, { brandId: Id })
  registerBrand(@By() caller: Caller, @Body({ schema: NewBrand }) brand: z.infer<typeof NewBrand>) {
    return this.send(caller, { type: 'register-brand', brand });
  }

  @Post('products')
  @Scopes('admin', 'import', 'app', 'any-brand')
  @Writes(201, answer)
  listProduct(@By() caller: Caller, @Body({ schema: Product }) product: z.infer<typeof Product>) {
    return this.send(caller, { type: 'list-product', product });
  }

  /** The product as it is from now on, whole. */
  @Put('products/:productId')
  @Scopes('admin', 'import', 'app', 'any-brand')
  @Writes(200, answer)
  changeProduct(
    @By() caller: Caller,
    @Param('productId', { schema: Id }) productId: string,
    @Body({ schema: Product }) product: z.infer<typeof Product>,
  ) {
    if (product.productRef.productId !== productId) {
      const path = ['productRef', 'productId'];
      throw invalid([{ code: 'custom', path, message: 'not the product of the path', input: undefined }]);
    }
    return this.send(caller, { type: 'change-product', product });
  }

  private send(caller: Caller, wish: CatalogueWish): Promise<Written> {
    return this.commands.execute(new CatalogueRequest(caller, wish));
  }
}
