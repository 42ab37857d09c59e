// What may be asked of a brand's stream, `brand-<brandId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { BrandEvent } from './brand.events.js';

export type BrandCommand = CommandOf<{
  RegisterBrand: DataOf<BrandEvent, 'BrandRegistered'>;
}>;
