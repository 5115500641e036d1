// A plugin of GraphQL Code Generator: operations as plain strings that know the types of their result and variables, so
// that a client carries neither graphql nor a parsed document. (`typed-document-node` in its string mode makes objects,
// and imports a package for their type.)
import { print } from 'graphql';
import { fragmentsOf, sortedOut } from './codegen-operations.js';

export function plugin(_schema, documents) {
  const { fragments, operations } = sortedOut(documents);
  return {
    prepend: ["import type { TypedDocument } from '../typed-document.js';"],
    content: [
      ...[...fragments].map(([name, fragment]) => `const ${textName(name)} = ${literal(print(fragment))};`),
      ...operations.map((operation) => {
        const name = operation.name.value;
        const type = `${name}${operation.operation[0].toUpperCase()}${operation.operation.slice(1)}`;
        const used = [...fragmentsOf(operation, fragments)].map((fragment) => `\n\${${textName(fragment)}}`);
        const text = literal(print(operation)).replace(/`$/, `${used.join('')}\``);
        return `export const ${name}Document: TypedDocument<${type}, ${type}Variables> = ${text};`;
      }),
    ].join('\n\n'),
  };
}

/** A name that the types of the fragments leave free. */
function textName(fragment) {
  return `${fragment[0].toLowerCase()}${fragment.slice(1)}Text`;
}

function literal(text) {
  return `\`${text.replace(/[`\\]|\$(?=\{)/g, '\\$&')}\``;
}
