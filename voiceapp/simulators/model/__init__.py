"""The simulated model behind the simulators of AI providers: it hears, decides, calls tools and speaks.

It learns its work as a model does, from the instructions (one documented line for each item or service) and from the
descriptions of its tools; it knows nothing of a provider's frames.
"""
