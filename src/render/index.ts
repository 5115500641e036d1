export {
  compileSelection,
  type RenderedJson,
  RENDER_ONCE,
  type SelectionRenderer,
  resolveRootSelection,
  type RootSelection,
} from './compile.js';
