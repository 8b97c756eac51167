"""Makes src/rng/normal_edges.rs: the right edges of the 256 layers of the ziggurat under exp(-x*x/2).

Doornik, "An improved ziggurat method to generate normal random samples" (2005), table 1, gives where the tail begins and
the area of a layer. The recursion is ill-conditioned in its last bits, so that the edges are committed as numbers.
"""
import math

R, AREA = 3.654152885361008796, 0.00492867323399


def density(x):
    return math.exp(-x * x / 2.0)


edges = [AREA / density(R), R]
while len(edges) < 256:
    edges.append(math.sqrt(-2.0 * math.log(AREA / edges[-1] + density(edges[-1]))))
edges.append(0.0)
print("// Made by tests/golden/normal_edges.py.\n[")
for first in range(0, 257, 4):
    print("    " + ", ".join(repr(edge) for edge in edges[first : first + 4]) + ",")
print("]")
