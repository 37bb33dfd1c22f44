"""The Jacobians J_t = ∂s_t/∂s_{t−1} of a run: rows, products with vectors, norms, QR, volume."""
