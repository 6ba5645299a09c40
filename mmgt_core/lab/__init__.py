"""Training, evaluation and the synthetic presenter. The engine never imports this package, and the registry
package leaves it out.
"""
