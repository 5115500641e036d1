import SchemaBuilder from '@pothos/core';
import type { SchemaContext } from './context.js';

export const builder = new SchemaBuilder<{
  Context: SchemaContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

builder.scalarType('DateTime', {
  description: 'Point in time: RFC 3339, UTC, with milliseconds, for example `2026-11-23T15:02:56.464Z`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) {
      throw new TypeError('Invalid DateTime. Pass an RFC 3339 string.');
    }
    return new Date(value).toISOString();
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
});

builder.queryType({ description: 'Current state of servers, swarms and agents, and health of this node.' });
builder.mutationType({ description: 'Actions of swarmlens and of the connected servers.' });
builder.subscriptionType({ description: 'Streams of changes.' });
