import type { FragmentLayer } from 'sigma/rendering';

/** Draws an agent: a disc by its type in a ring by its status, with a gap between them. */
export function createAgentLayer(): FragmentLayer {
  const colour = { size: 4, type: WebGL2RenderingContext.UNSIGNED_BYTE, normalized: true } as const;
  return {
    name: 'agent',
    uniforms: [],
    attributes: [
      { name: 'fillColor', source: 'color', ...colour },
      { name: 'ringColor', source: 'ring', ...colour },
    ],
    glsl: `
vec4 layer_agent(vec4 v_fillColor, vec4 v_ringColor) {
  float depth = -context.sdf / context.shapeSize;
  float soft = context.aaWidth;
  float ring = 1.0 - smoothstep(0.2 - soft, 0.2 + soft, depth);
  float disc = smoothstep(0.32 - soft, 0.32 + soft, depth);
  vec4 clear = vec4(v_fillColor.rgb, 0.0);
  return mix(mix(clear, v_fillColor, disc), v_ringColor, ring);
}
`,
  };
}
