import { layerDashed, layerPlain } from 'sigma/rendering';
import { defineSigmaOptions } from 'sigma/types';
import { createAgentLayer } from './agent-layer.js';
import type { Theme } from './agent-style.js';

const TEXT: Readonly<Record<Theme, string>> = { light: '#1d2a34', dark: '#dbe5ec' };
const LABEL_BACK: Readonly<Record<Theme, string>> = { light: '#ffffff', dark: '#16212a' };
const REPORTED: Readonly<Record<Theme, string>> = { light: '#6f8496', dark: '#55697a' };
const INFERRED: Readonly<Record<Theme, string>> = { light: '#9db0bf', dark: '#4a5c6c' };
const PARENT: Readonly<Record<Theme, string>> = { light: '#0f766e', dark: '#5eead4' };
const ACCENT: Readonly<Record<Theme, string>> = { light: '#005f85', dark: '#7fd1e8' };
const CLEAR = '#00000000';

/** Returns the renderer's options. Attributes of nodes and edges hold the rest of their appearance. */
export function sigmaOptions(theme: Theme) {
  return defineSigmaOptions({
    primitives: {
      nodes: {
        layers: [createAgentLayer()],
        variables: { ring: { type: 'color', default: '#888888' } },
      },
      edges: {
        // Inferred edges are dashed, reported edges are solid. Edges between parent and child are thicker.
        layers: [
          layerPlain({ color: { attribute: 'line' } }),
          layerDashed({
            dashColor: { attribute: 'color' },
            dashSize: { attribute: 'dash', default: 0 },
            gapSize: { value: 5, mode: 'pixels' },
          }),
        ],
        variables: {
          line: { type: 'color', default: CLEAR },
          dash: { type: 'number', default: 0 },
        },
      },
    },
    styles: {
      nodes: {
        x: { attribute: 'x' },
        y: { attribute: 'y' },
        size: { attribute: 'size' },
        color: { attribute: 'color' },
        ring: { attribute: 'ring' },
        opacity: { attribute: 'opacity' },
        label: { attribute: 'label' },
        labelColor: TEXT[theme],
        labelSize: 11,
        labelPosition: 'below',
        labelVisibility: whenEmphasized('visible', 'auto'),
        depth: whenEmphasized('topNodes', 'nodes'),
        backdropVisibility: whenEmphasized('visible', 'hidden'),
        backdropColor: LABEL_BACK[theme],
        backdropShadowColor: 'rgba(0, 0, 0, 0.2)',
        backdropShadowBlur: 8,
        backdropPadding: 5,
        backdropBorderColor: ACCENT[theme],
        backdropBorderWidth: 1.5,
        backdropCornerRadius: 6,
      },
      edges: {
        color: INFERRED[theme],
        line: {
          whenData: 'isParent',
          then: PARENT[theme],
          else: { whenData: 'inferred', then: CLEAR, else: REPORTED[theme] },
        },
        dash: { whenData: 'inferred', then: 5, else: 0 },
        size: { whenData: 'isParent', then: 3, else: { whenData: 'inferred', then: 1.2, else: 1.6 } },
        visibility: { whenData: 'isGone', then: 'hidden', else: 'visible' },
      },
    },
    settings: {
      // The tab with the graph may be hidden.
      allowInvalidContainer: true,
      autoRescale: false,
      itemSizesReference: 'screen',
      zoomToSizeRatioFunction: (ratio: number) => ratio ** 0.75,
      enableCameraRotation: false,
      minCameraRatio: 0.05,
      maxCameraRatio: 30,
      labelDensity: 0.5,
      labelGridCellSize: 110,
      labelRenderedSizeThreshold: 8,
      minEdgeThickness: 0.8,
      nodePickingPadding: 4,
      zoomDuration: 150,
    },
  });
}

/** Returns a style for hovered or selected nodes. Nested, because a list of states requires all of them. */
function whenEmphasized<const T>(then: T, otherwise: T) {
  return { whenState: 'isHovered', then, else: { whenState: 'isHighlighted', then, else: otherwise } } as const;
}
